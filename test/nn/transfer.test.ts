import { beforeAll, describe, expect, test } from "vitest";
import { grad, init, Rng, tensor, UserError } from "../../src/index.ts";
import { Mlp, TinyVgg } from "../../src/models/index.ts";
import {
  BatchNorm1d,
  features,
  freeze,
  isFrozen,
  Linear,
  loadStateDict,
  parameterCount,
  parameters,
  replaceHead,
  Sequential,
  stateDict,
  unfreeze,
} from "../../src/nn/index.ts";
import { relu } from "../../src/ops/index.ts";
import { Sgd } from "../../src/train/optim.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const rng = new Rng(1);
const values = (model: object): Map<string, number[]> =>
  new Map([...stateDict(model)].map(([name, t]) => [name, [...t.data]]));

describe("freeze", () => {
  test("optimizers skip what matches, and unfreeze brings it back", () => {
    const model = new Mlp([2, 3, 1], rng);
    expect(freeze(model, /^layers\.0\./)).toEqual(["layers.0.weight", "layers.0.bias"]);
    expect([...parameters(model).keys()]).toEqual(["layers.1.weight", "layers.1.bias"]);
    expect([...parameters(model, { frozen: true }).keys()].length).toBe(4);
    expect(parameterCount(model)).toBe(4);
    expect(stateDict(model).size).toBe(4);
    const before = values(model);
    const optimizer = new Sgd(model, { lr: 1 });
    optimizer.step(grad(model.forward(tensor([[1, 2]])).sum(), optimizer.parameters));
    const after = values(model);
    for (const [name, was] of before)
      (name.startsWith("layers.0.") ? expect(after.get(name)) : expect(after.get(name)).not).toEqual(was);
    expect(unfreeze(model, /bias/)).toEqual(["layers.0.bias", "layers.1.bias"]);
    expect([...parameters(model).keys()]).toContain("layers.0.bias");
    unfreeze(model);
    expect(parameterCount(model)).toBe(13);
  });

  test("a pattern that matches nothing is an error", () => {
    expect(() => freeze(new Linear(1, 1, rng), /^features/)).toThrow(
      "freeze: no parameter's name matches /^features/.\n  There are weight, bias.",
    );
    expect(() => unfreeze(new Linear(1, 1, rng), /x/)).toThrow(UserError);
  });

  test("a frozen batch norm infers while training: its statistics are used and stay", () => {
    const norm = new BatchNorm1d(2);
    freeze(norm);
    expect(isFrozen(norm.weight)).toBe(true);
    norm.running_mean.set([1, -1]);
    const x = tensor([
      [1, 2],
      [3, 5],
      [4, 4],
    ]);
    const before = values(norm);
    expect(norm.forward(x, { rng }).toArray()).toEqual(norm.forward(x).toArray());
    expect(values(norm)).toEqual(before);
    unfreeze(norm);
    norm.forward(x, { rng });
    expect(values(norm)).not.toEqual(before);
  });
});

describe("a new head", () => {
  test("replaces the last linear layer, wherever it is; features are what it sees", () => {
    const model = new TinyVgg([1, 16, 16], 10, rng);
    const x = rng.normal([2, 1, 16, 16]);
    const seen = features(model, [x]);
    expect(seen.shape).toEqual([2, 10]);
    expect(replaceHead(model, 3, rng)).toBe("output");
    expect(model.forward(x).toArray()).toEqual(model.output.forward(seen).toArray());
    expect(model.output.weight.shape).toEqual([3, 10]);
    const nested = { body: new Sequential(new Linear(4, 5, rng), relu, new Linear(5, 2, rng, { bias: false })) };
    expect(replaceHead(nested, 7, rng)).toBe("body.2");
    expect([...stateDict(nested)].map(([name, t]) => `${name} ${t.shape}`)).toEqual([
      "body.0.weight 5,4",
      "body.0.bias 5",
      "body.2.weight 7,5",
    ]);
    expect(features(nested.body, [rng.normal([3, 4])]).shape).toEqual([3, 5]);
    expect(() => replaceHead({ norm: new BatchNorm1d(2) }, 2, rng)).toThrow("the model has no linear layer");
  });

  test("keeps its fresh weights when the others are loaded", () => {
    const trained = new Mlp([2, 3, 10], rng);
    const model = new Mlp([2, 3, 4], rng);
    const head = [...model.layers[1].weight.data];
    expect(() => loadStateDict(model, stateDict(trained))).toThrow(/mis-shaped: layers\.1\.weight is \[10, 3\]/);
    loadStateDict(model, stateDict(trained), { except: /^layers\.1\./ });
    expect([...model.layers[0].weight.data]).toEqual([...trained.layers[0].weight.data]);
    expect([...model.layers[1].weight.data]).toEqual(head);
    const backbone = new Map([...stateDict(trained)].filter(([name]) => name.startsWith("layers.0.")));
    loadStateDict(model, backbone, { except: /^layers\.1\./ });
    expect(() => loadStateDict(model, backbone, { except: /^layers\.1\.bias/ })).toThrow("missing: layers.1.weight.");
  });
});

test("Sequential rectifies in the pass of the layer before, to the same values", () => {
  const [a, norm, b] = [new Linear(3, 4, rng), new BatchNorm1d(4), new Linear(4, 2, rng)];
  const x = rng.normal([5, 3]);
  const chain = new Sequential(a, norm, relu, b, relu);
  const expected = b.forward(norm.forward(a.forward(x)).relu()).relu();
  chain
    .forward(x)
    .toArray()
    .forEach((v, i) => expect(v).toBeCloseTo(expected.data[i], 5));
  expect([...stateDict(chain).keys()].filter((name) => name.startsWith("3"))).toEqual(["3.weight", "3.bias"]);
});
