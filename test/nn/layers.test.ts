import { beforeAll, describe, expect, test } from "vitest";
import { batchNorm, grad, indices, init, Rng, type Tensor, tensor } from "../../src/index.ts";
import {
  activation,
  activations,
  BatchNorm1d,
  Dropout,
  Embedding,
  LayerNorm,
  Linear,
  loadStateDict,
  type Module,
  PReLU,
  parameters,
  Sequential,
  stateDict,
  type Training,
} from "../../src/nn/index.ts";
import torch from "../fixtures/nn.json" with { type: "json" };

beforeAll(async () => {
  await init({ threads: 2 });
});

interface Values {
  shape: number[];
  data: number[];
}

/** A layer of PyTorch: its state, an input, the output, and the gradients of Σ cos(i)·yᵢ. */
interface Recorded {
  state: Record<string, Values>;
  x: Values;
  y: Values;
  gradients: Record<string, Values>;
}

const cosines = (y: Tensor): Tensor =>
  tensor(
    Array.from({ length: y.size }, (_, i) => Math.cos(i)),
    y.shape,
  );

function close(actual: Tensor, { shape, data }: Values, what: string): void {
  expect([...actual.shape], what).toEqual(shape);
  const size = Math.max(1, ...data.map(Math.abs));
  actual.toArray().forEach((v, i) => {
    expect(Math.abs(v - data[i]) / size, `${what}, element ${i}: ${v}, torch ${data[i]}`).toBeLessThan(2e-6);
  });
}

const load = (module: object, state: Record<string, Values>): void =>
  loadStateDict(module, new Map(Object.entries(state)));

/** The layer with PyTorch's weights gives PyTorch's output and gradients, by kernels and by expansions. */
function agrees(module: Module, recorded: Recorded, training?: Training, before?: Record<string, Values>): void {
  for (const differentiable of [false, true]) {
    load(module, before ?? recorded.state);
    const x = tensor(recorded.x.data, recorded.x.shape);
    const y = module.forward(x, training);
    close(y, recorded.y, "y");
    const named = parameters(module);
    const gs = grad(y, [x, ...named.values()], { gradOutput: cosines(y), differentiable });
    ["x", ...named.keys()].forEach((name, i) => close(gs[i], recorded.gradients[name], `gradient of ${name}`));
  }
}

describe("PyTorch's values and gradients", () => {
  const rng = new Rng(1);
  const layers: [keyof typeof torch, () => Module][] = [
    ["Linear", () => new Linear(3, 4, rng)],
    ["Linear, no bias", () => new Linear(3, 4, rng, { bias: false })],
    ["Linear, three axes", () => new Linear(3, 2, rng)],
    ["LayerNorm", () => new LayerNorm(5)],
    ["LayerNorm, three axes", () => new LayerNorm(6, { eps: 1e-2 })],
    ["PReLU", () => new PReLU()],
    ["PReLU, by features", () => new PReLU({ features: 3 })],
  ];
  test.each(layers)("%s", (name, make) => {
    agrees(make(), torch[name] as Recorded);
    agrees(make(), torch[name] as Recorded, { rng }); // no different while training
  });

  test("BatchNorm1d, 7 features: a full group of four columns and a part of one", () => {
    agrees(new BatchNorm1d(7), torch["BatchNorm1d, 7 features"], { rng });
  });

  test("Linear with a rectifier in the same pass", () => {
    for (const name of ["Linear", "Linear, no bias"] as const) {
      const layer = new Linear(3, 4, rng, { bias: name === "Linear" });
      const { state, x, y } = torch[name];
      load(layer, state as unknown as Record<string, Values>);
      close(
        layer.apply(tensor(x.data, x.shape), "relu"),
        { shape: y.shape, data: y.data.map((v) => Math.max(0, v)) },
        "y",
      );
    }
  });

  test("Embedding: rows by number, repeated rows add up", () => {
    const { state, y, gradients, x } = torch.Embedding;
    const layer = new Embedding(6, 3, rng);
    load(layer, state);
    const out = layer.forward(indices(x.data));
    close(out, y, "y");
    close(grad(out, [layer.weight], { gradOutput: cosines(out) })[0], gradients.weight, "gradient");
    expect(() => layer.forward(indices([6]))).toThrow(/index 6 \(at position 0\) is outside axis 0 of size 6/);
  });

  test.each([
    ["BatchNorm1d", {}],
    ["BatchNorm1d, momentum .3", { eps: 1e-3, momentum: 0.3 }],
  ] as const)("%s: running statistics over three batches, then inference", (name, options) => {
    const { steps, inference } = torch[name];
    const norm = new BatchNorm1d(3, options);
    for (const step of steps) {
      agrees(norm, step, { rng });
      for (const [key, t] of stateDict(norm)) close(t, step.after[key as keyof typeof step.after], key);
    }
    // The statistics that these three batches left behind, not those of the file, normalise now.
    const before = Object.fromEntries(
      [...stateDict(norm)].map(([key, t]) => [key, { shape: [...t.shape], data: [...t.data] }]),
    );
    agrees(norm, inference, undefined, before);
  });
});

describe("activations", () => {
  const { points, ...values } = torch.activations;

  test("the table is complete", () => {
    expect(Object.keys(activations).sort()).toEqual(Object.keys(values).sort());
  });

  /** Where the second derivative jumps, PyTorch's choice is as good as ours. */
  const JUMPS: Record<string, number[]> = { elu: [0], selu: [0], hardSwish: [-3, 3] };

  test.each(Object.entries(values))("%s: value, first and second derivative", (name, expected) => {
    const x = tensor(points);
    const y = activation(name)(x);
    const [fast] = grad(y.sum(), [x]);
    const [first] = grad(y.sum(), [x], { differentiable: true });
    const [second] = grad(first.sum(), [x]);
    for (const at of JUMPS[name] ?? []) second.data[points.indexOf(at)] = expected[2][points.indexOf(at)];
    [y, first, second].forEach((t, order) => close(t, { shape: [7], data: expected[order] }, `order ${order}`));
    close(fast, { shape: [7], data: expected[1] }, "the kernel's first derivative");
  });

  test("an unknown name lists the known ones", () => {
    expect(() => activation("swoosh")).toThrow('There is no activation "swoosh".\n  Choose one of relu, leakyRelu');
  });
});

describe("Sequential", () => {
  const net = (): Sequential => {
    const rng = new Rng(2);
    return new Sequential(
      new Linear(4, 6, rng),
      new BatchNorm1d(6),
      activations.relu,
      new Dropout(0.5),
      new Linear(6, 5, rng),
      new LayerNorm(5),
      new PReLU(),
      new Linear(5, 2, rng),
    );
  };

  test("PyTorch's names in PyTorch's order, and its values", () => {
    const { Sequential: recorded } = torch;
    expect([...stateDict(net()).keys()]).toEqual(Object.keys(recorded.state));
    expect([...parameters(net()).keys()]).toEqual(Object.keys(recorded.gradients).filter((name) => name !== "x"));
    agrees(net(), recorded as unknown as Recorded);
  });

  test("layers in a list are an error", () => {
    const list = [new Linear(4, 6, new Rng(2))] as unknown as Linear;
    expect(() => new Sequential(list)).toThrow(/Sequential: argument 1 is no layer.*\n.*new Sequential\(conv, relu/);
  });

  test("hands the training context to every layer", () => {
    const model = net();
    const x = new Rng(3).normal([50, 4]);
    const infer = model.forward(x).toArray();
    expect(model.forward(x).toArray()).toEqual(infer);
    const rng = new Rng(4);
    const one = model.forward(x, { rng }).toArray();
    const two = model.forward(x, { rng }).toArray();
    expect(one).not.toEqual(two);
    expect(model.forward(x, { rng: new Rng(4) }).toArray(), "the same generator, the same mask").toEqual(one);
  });
});

describe("Dropout", () => {
  const x = (): Tensor => new Rng(5).normal([200, 50]).add(3);

  test("zeroes its share and scales the rest; the gradient goes the same way", () => {
    const input = x();
    const y = new Dropout(0.25).forward(input, { rng: new Rng(6) });
    const [g] = grad(y.sum(), [input]);
    let zeros = 0;
    y.toArray().forEach((v, i) => {
      if (v === 0) zeros++;
      else expect(v / input.data[i]).toBeCloseTo(4 / 3, 5);
      expect(g.data[i]).toBe(v === 0 ? 0 : Math.fround(4 / 3));
    });
    expect(Math.abs(zeros / y.size - 0.25)).toBeLessThan(0.02);
  });

  test("does nothing at inference and for p = 0", () => {
    const input = x();
    expect(new Dropout(0.5).forward(input)).toBe(input);
    const rng = new Rng(7);
    expect(new Dropout(0).forward(input, { rng })).toBe(input);
    expect(rng.state).toEqual(new Rng(7).state);
  });

  test.each([1, -0.1, Number.NaN])("p = %s is refused", (p) => {
    expect(() => new Dropout(p)).toThrow(`Dropout: p must be in [0, 1), not ${p}.\n  p is the share that is dropped.`);
  });
});

describe("inputs that do not fit", () => {
  const rng = new Rng(8);

  test("name the layer and the shapes", () => {
    const x = rng.normal([2, 3]);
    expect(() => new Linear(4, 5, rng).forward(x)).toThrow("Linear(4 → 5)([2, 3]): the input has 3 features, not 4.");
    expect(() => new BatchNorm1d(4).forward(x)).toThrow(
      "BatchNorm1d([2, 3]): the input must be [rows, 4] or [N, 4, length].",
    );
    expect(() => new LayerNorm(4).forward(x)).toThrow("weight and bias must be [3]");
    const [w, b, mean] = [rng.normal([3]), rng.normal([3]), rng.normal([3])];
    expect(() => batchNorm(x, w, b, { mean, training: false })).toThrow(
      "without training it needs a mean and a variance",
    );
    expect(() => batchNorm(x, w, b, { mean, variance: rng.normal([1]) })).toThrow("mean and variance must be [3]");
  });

  test("one row has no variance to train on, but can be inferred", () => {
    const norm = new BatchNorm1d(3);
    const row = rng.normal([1, 3]);
    expect(() => norm.forward(row, { rng })).toThrow(/a batch of one row has no variance[\s\S]*batch size ≥ 2/);
    expect(norm.forward(row).shape).toEqual([1, 3]);
  });
});
