import { beforeAll, describe, expect, test } from "vitest";
import { init, ones, Rng, type Tensor, tensor, UserError, zeros } from "../../src/index.ts";
import {
  BatchNorm1d,
  buffer,
  Linear,
  loadStateDict,
  parameterCount,
  parameters,
  stateDict,
} from "../../src/nn/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

/** A model is any object: nested, with lists, shared parts, and things that are no tensors. */
class Zoo {
  readonly name = "zoo";
  readonly sizes = new Float32Array(3);
  readonly layers = [new Linear(2, 3, new Rng(1)), new Linear(3, 2, new Rng(2), { bias: false })];
  readonly parts = { norm: new BatchNorm1d(2), scale: ones([1]), none: null, missing: undefined };
  readonly tied = this.layers[0].weight;
  readonly statistic = buffer(zeros([4]));
  readonly self: object = this;
  forward = (x: Tensor): Tensor => x;
}

const NAMES = [
  "layers.0.weight",
  "layers.0.bias",
  "layers.1.weight",
  "parts.norm.weight",
  "parts.norm.bias",
  "parts.norm.running_mean",
  "parts.norm.running_var",
  "parts.scale",
  "statistic",
];

describe("the walk", () => {
  test("finds every tensor once, under its dotted name, in the order of the properties", () => {
    expect([...stateDict(new Zoo()).keys()]).toEqual(NAMES);
  });

  test("parameters are what is trained: no buffers", () => {
    const names = NAMES.filter((name) => !/running|statistic/.test(name));
    expect([...parameters(new Zoo()).keys()]).toEqual(names);
    expect(parameterCount(new Zoo())).toBe(6 + 3 + 6 + 2 + 2 + 1);
  });

  test("what has been computed is not the model's", () => {
    const x = ones([2]);
    expect([...stateDict({ y: x.add(1) }).keys()]).toEqual(["y"]);
  });
});

describe("loadStateDict", () => {
  const values = (model: object): Map<string, { shape: readonly number[]; data: ArrayLike<number> }> =>
    new Map([...stateDict(model)].map(([name, t]) => [name, { shape: t.shape, data: t.toArray().map((v) => v + 1) }]));

  test("copies by name, in any order, without PyTorch's counters", () => {
    const model = new Zoo();
    const given = new Map([...values(model)].reverse());
    given.set("parts.norm.num_batches_tracked", { shape: [], data: [3] });
    loadStateDict(model, given);
    for (const [name, t] of stateDict(model)) expect([...t.data]).toEqual([...(given.get(name)!.data as Float32Array)]);
  });

  test("takes tensors as they are", () => {
    const layer = new Linear(1, 2, new Rng(3));
    loadStateDict(
      layer,
      new Map([
        ["weight", tensor([[5], [6]])],
        ["bias", tensor([7, 8])],
      ]),
    );
    expect([...layer.weight.data, ...layer.bias!.data]).toEqual([5, 6, 7, 8]);
  });

  test("what does not fit is listed whole, and nothing is changed", () => {
    const model = new Zoo();
    const given = values(model);
    given.delete("statistic");
    given.delete("layers.0.bias");
    given.set("head.weight", { shape: [1], data: [0] });
    given.set("layers.1.weight", { shape: [3, 2], data: new Float32Array(6) });
    const before = [...stateDict(model).values()].map((t) => t.toArray());
    expect(() => loadStateDict(model, given)).toThrow(
      new UserError(
        "These weights do not fit the model: missing: layers.0.bias, statistic; unexpected: head.weight; " +
          "mis-shaped: layers.1.weight is [3, 2], the model has [2, 3].",
        "They were saved from another architecture, or with other sizes.",
      ),
    );
    expect([...stateDict(model).values()].map((t) => t.toArray())).toEqual(before);
  });

  test("a long list is cut", () => {
    const model = { layers: Array.from({ length: 20 }, () => ones([1])) };
    expect(() => loadStateDict(model, new Map())).toThrow(/missing: layers\.0, .*layers\.11, … \(20 in all\)\./);
  });
});
