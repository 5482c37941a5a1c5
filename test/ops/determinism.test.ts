import { beforeAll, describe, expect, test } from "vitest";
import * as ops from "../../src/index.ts";
import { Csr, grad, indices, init, Rng, scope, type Tensor } from "../../src/index.ts";
import { type Case, Draw, toTensor } from "../samples/draw.ts";
import { asList, seedOf } from "../samples/trial.ts";
import { SAMPLES } from "../samples.ts";

/** Results have the same bits on 1, 2 and 4 threads, at sizes that split into many chunks. */
const THREADS = [1, 2, 4];

beforeAll(async () => {
  const { threads, variant } = await init({ threads: 4 });
  expect([threads, variant.endsWith("-threads")]).toEqual([4, true]);
});

/** Weights that differ from element to element, so that no gradient is constant. */
const weighted = (y: Tensor): Tensor => ops.sum(ops.mul(y, ops.sin(new Rng(1).uniform(y.shape, -3, 3))));
const weightedAll = (ys: readonly Tensor[]): Tensor => ys.map(weighted).reduce((a, b) => ops.add(a, b));

/** Outputs, gradients by kernels, gradients by expansion, second-order gradients. */
function everything(run: (xs: Tensor[]) => Tensor | Tensor[], xs: Tensor[]): Tensor[] {
  const ys = asList(run(xs));
  if (xs.length === 0) return ys;
  const loss = weightedAll(ys);
  const gs = grad(loss, xs, { differentiable: true });
  return [...ys, ...grad(loss, xs), ...gs, ...grad(weightedAll(gs), xs)];
}

async function sameOnAll(body: () => Tensor[]): Promise<void> {
  let first: Buffer[] | undefined;
  for (const threads of THREADS) {
    await init({ threads });
    const bits = scope(() => body().map((t) => Buffer.from(t.toArray().buffer)));
    first ??= bits;
    bits.forEach((b, k) => {
      if (!b.equals(first![k])) expect.fail(`result ${k} on ${threads} threads differs from that on 1`);
    });
  }
}

describe.each(Object.entries<Case[]>(SAMPLES))("%s", (name, cases) => {
  test.each(cases.map((known, i) => [i, known] as const))("case %i", async (i, { draw }) => {
    const sample = draw(new Draw(seedOf(name, i), 3, true));
    await sameOnAll(() => everything(sample.run, sample.inputs.map(toTensor)));
  });
});

describe("millions of elements", () => {
  const normal = (...shape: number[]): Tensor => new Rng(7).normal(shape);
  const edges = (count: number, n: number): Int32Array => Int32Array.from({ length: count }, (_, e) => (e * 7919) % n);

  const CASES: Record<string, () => Tensor[]> = {
    "flat kernels": () => everything(([x]) => ops.mul(ops.exp(x), x), [normal(3_000_001)]),
    "sum of all": () => everything(([x]) => ops.sum(x), [normal(5_000_003)]),
    "sum of columns": () => everything(([x]) => ops.sum(x, { axes: 0 }), [normal(40_001, 70)]),
    "sum of rows": () => everything(([x]) => ops.sum(x, { axes: 1 }), [normal(70, 40_001)]),
    softmax: () => everything(([x]) => ops.softmax(x), [normal(20_001, 97)]),
    "matmul 700": () => everything(([a, b]) => ops.matmul(a, b), [normal(701, 683), normal(683, 709)]),
    "matmul of a batch": () => everything(([a, b]) => ops.matmul(a, b), [normal(40, 65, 130), normal(40, 130, 67)]),
    linear: () => everything(([x, w, b]) => ops.linear(x, w, b), [normal(3001, 129), normal(257, 129), normal(257)]),
    "layerNorm, tall": () =>
      everything(([x, w, b]) => ops.layerNorm(x, w, b), [normal(20_003, 33), normal(33), normal(33)]),
    "batchNorm, wide": () =>
      everything(([x, w, b]) => ops.batchNorm(x, w, b), [normal(33, 20_003), normal(20_003), normal(20_003)]),
    transpose: () => everything(([x]) => ops.transpose(x), [normal(1501, 1301)]),
    segmentSum() {
      const adj = Csr.fromPairs(edges(200_000, 10_007), edges(200_000, 9973).reverse(), 10_007, 9973);
      return everything(([x]) => ops.segmentSum(x, { adj }), [normal(9973, 24)]);
    },
    put() {
      const index = indices(edges(100_003, 997));
      return everything(([x]) => ops.put(x, { index, size: 997 }), [normal(100_003, 40)]);
    },
  };
  test.each(Object.entries(CASES))("%s", async (_name, body) => {
    await sameOnAll(body);
  });
});
