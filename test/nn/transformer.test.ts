import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { grad, init, mul, Rng, scope, sum, type Tensor, tensor } from "../../src/index.ts";
import {
  loadStateDict,
  MultiheadAttention,
  parameterCount,
  parameters,
  Sequences,
  stateDict,
  TransformerEncoder,
} from "../../src/nn/index.ts";

interface Plain {
  shape: number[];
  data: number[];
}

const { transformer: fixture } = JSON.parse(
  readFileSync(new URL("../fixtures/transformer.json", import.meta.url), "utf8"),
) as {
  transformer: {
    lengths: number[];
    heads: number;
    feedForward: number;
    weights: Record<string, Plain>;
    gradients: Record<string, Plain>;
  } & Record<"x" | "probe" | "output" | "attention" | "attended" | "xGradient", Plain>;
};
const { lengths, heads, feedForward } = fixture;
const [count, length, width] = fixture.x.shape;
/** Real tokens among the padded ones. */
const real = lengths.flatMap((n, s) => Array.from({ length: n }, (_, i) => s * length + i));
const padding = Array.from({ length: count * length }, (_, p) => p % length >= lengths[Math.floor(p / length)]);

const of = ({ data, shape }: Plain): Tensor => tensor(data, shape);
const rowsOf = ({ data }: Plain): number[] => real.flatMap((p) => data.slice(p * width, (p + 1) * width));

beforeAll(async () => {
  await init({ threads: 2 });
});

function loaded(): TransformerEncoder {
  const encoder = new TransformerEncoder(width, heads, 2, new Rng(1), { dropout: 0, feedForward });
  loadStateDict(encoder, new Map(Object.entries(fixture.weights)));
  return encoder;
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[], tolerance = 2e-5): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  expected.forEach((e, i) => expect(Math.abs(actual[i] - e)).toBeLessThan(tolerance * scale));
}

describe("against PyTorch", () => {
  test("has the names of its state dict", () => {
    expect([...stateDict(loaded()).keys()].sort()).toEqual(Object.keys(fixture.weights).sort());
  });

  test("packed rows: outputs and gradients of the real tokens", () => {
    const encoder = loaded();
    const x = tensor(rowsOf(fixture.x), [real.length, width]);
    const y = encoder.forward(x, Sequences.packed(lengths));
    expectClose(y.data, rowsOf(fixture.output));
    const names = [...parameters(encoder).keys()];
    const probe = tensor(rowsOf(fixture.probe), [real.length, width]);
    const [dx, ...gradients] = grad(sum(mul(y, probe)), [x, ...parameters(encoder).values()]);
    expectClose(dx.data, rowsOf(fixture.xGradient), 5e-5);
    names.forEach((name, i) => expectClose(gradients[i].data, fixture.gradients[name].data, 5e-5));
  });

  test("[batch, length, width] with key padding gives the same, padded tokens included", () => {
    const y = loaded().forward(of(fixture.x), Sequences.padded(count, length, padding));
    expect(y.shape).toEqual([count, length, width]);
    expectClose(y.data, fixture.output.data);
  });

  test("attention alone: what it finds, and its weights", () => {
    const { self_attn } = loaded().layers[0];
    const sequences = Sequences.padded(count, length, padding);
    expectClose(self_attn.forward(of(fixture.x), sequences).data, fixture.attended.data);
    const weights = self_attn.weights(of(fixture.x), sequences);
    expect(weights.shape).toEqual(fixture.attention.shape);
    expectClose(weights.data, fixture.attention.data);
  });
});

test("a full sequence needs no description", () => {
  const encoder = loaded();
  const x = new Rng(3).normal([3, 5, width]);
  const packed = encoder.forward(x.reshape(15, width), Sequences.packed([5, 5, 5]));
  expect([...encoder.forward(x).data]).toEqual([...packed.data]);
});

test("permuted tokens give permuted results", () => {
  const encoder = loaded();
  const x = new Rng(4).normal([4, width]);
  const order = [2, 0, 3, 1];
  const y = encoder.forward(x, Sequences.packed([4]));
  const permuted = tensor(
    order.flatMap((i) => [...x.data.subarray(i * width, (i + 1) * width)]),
    [4, width],
  );
  const z = encoder.forward(permuted, Sequences.packed([4]));
  order.forEach((from, to) => {
    for (let c = 0; c < width; c++) expect(z.data[to * width + c]).toBeCloseTo(y.data[from * width + c], 5);
  });
});

test("CrabNet's transformer has 9,457,152 parameters", () => {
  expect(parameterCount(new TransformerEncoder(512, 4, 3, new Rng(1)))).toBe(9_457_152);
});

test("dropout acts while training alone, by the generator given", () => {
  const encoder = new TransformerEncoder(width, heads, 1, new Rng(1), { dropout: 0.5, feedForward });
  const x = new Rng(2).normal([2, 3, width]);
  const run = (seed?: number): number[] =>
    scope(() => [...encoder.forward(x, undefined, seed === undefined ? undefined : { rng: new Rng(seed) }).data]);
  expect(run()).toEqual(run());
  expect(run(7)).toEqual(run(7));
  expect(run(7)).not.toEqual(run(8));
  expect(run(7)).not.toEqual(run());
});

test("says what does not fit", () => {
  const encoder = loaded();
  const x = new Rng(2).normal([6, width]);
  expect(() => encoder.forward(x)).toThrow(/\[tokens, 8\] with their Sequences/);
  expect(() => encoder.forward(x, Sequences.packed([2, 2]))).toThrow(/4 tokens, the longest 2/);
  expect(() => encoder.forward(new Rng(1).normal([2, 3, 7]))).toThrow(/\[batch, length, 8\]/);
  expect(() => new MultiheadAttention(8, 3, new Rng(1))).toThrow(/3 heads do not divide a width of 8/);
  expect(() => Sequences.padded(2, 3, [true])).toThrow(/1 key-padding marks for 2 × 3 tokens/);
});
