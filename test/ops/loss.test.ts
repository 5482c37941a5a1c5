import { beforeAll, describe, expect, test } from "vitest";
import {
  bceWithLogits,
  crossEntropy,
  grad,
  huberLoss,
  indices,
  init,
  type LossOptions,
  l1Loss,
  logSoftmax,
  mseLoss,
  nllLoss,
  robustL1Loss,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";

/** Values and gradients that PyTorch 1.13 gives for the same numbers in f64; random calls are in ops.test.ts. */
beforeAll(async () => {
  await init({ threads: 1 });
});

const PREDICTION = [0.5, -1, 3, 2];
const TARGET = [1, -1.5, 0.5, 2.25];
const PROBABILITY = [1, 0, 0.25, 1];

const close = (actual: ArrayLike<number>, known: readonly number[]): void => {
  expect(actual.length).toBe(known.length);
  for (const [i, v] of known.entries()) expect(actual[i]).toBeCloseTo(v, 6);
};

type Paired = (p: Tensor, t: Tensor, options?: LossOptions) => Tensor;
const half: Paired = (p, t, options) => huberLoss(p, t, { ...options, delta: 0.5 });

describe.each<[string, Paired, number[], number, number[]]>([
  ["mseLoss", mseLoss, TARGET, 1.703125, [-0.25, 0.25, 1.25, -0.125]],
  ["l1Loss", l1Loss, TARGET, 0.9375, [-0.25, 0.25, 0.25, -0.25]],
  ["huberLoss", huberLoss, TARGET, 0.5703125, [-0.125, 0.125, 0.25, -0.0625]],
  ["huberLoss, δ = ½", half, TARGET, 0.3515625, [-0.125, 0.125, 0.125, -0.0625]],
  [
    "bceWithLogits",
    bceWithLogits,
    PROBABILITY,
    0.8032135085787611,
    [-0.09438516719953635, 0.06723535534249878, 0.17564353170560834, -0.02980073050552942],
  ],
])("%s", (_name, loss, target, value, gradient) => {
  const p = (): Tensor => tensor(PREDICTION);

  test("mean, the default", () => {
    const x = p();
    const y = loss(x, tensor(target));
    close(y.data, [value]);
    close(grad(y, [x])[0].data, gradient);
    expect(loss(x, tensor(target), { reduction: "mean" }).item()).toBe(y.item());
  });

  test("sum and none", () => {
    const x = p();
    const y = loss(x, tensor(target), { reduction: "sum" });
    close(y.data, [4 * value]);
    close(
      grad(y, [x])[0].data,
      gradient.map((g) => 4 * g),
    );
    const each = loss(x, tensor(target), { reduction: "none" });
    expect(each.shape).toEqual([4]);
    expect(each.sum().item()).toBeCloseTo(4 * value, 6);
  });

  test("shapes must agree: nothing broadcasts", () => {
    expect(() => loss(zeros([4, 1]), zeros([4]))).toThrow(/\(\[4, 1\], \[4\]\): prediction and target must have one/);
    expect(() => loss(zeros([4]), zeros([]))).toThrow("one shape");
  });
});

test("bceWithLogits does not overflow", () => {
  const z = tensor([1000, -1000, 1000, -1000]);
  const y = bceWithLogits(z, tensor([1, 0, 0, 1]), { reduction: "none" });
  expect([...y.data]).toEqual([0, 0, 1000, 1000]);
  expect([...grad(y.sum(), [z])[0].data].map((v) => v + 0)).toEqual([0, 0, 1, -1]);
});

const LOGITS = [
  [1, 2, -1],
  [0.5, 0, 3],
];

describe("crossEntropy", () => {
  test.each([
    [0, [3.349012216768186, 2.6238729583693674], [0.12974823017120957, 0.3526922563491206, -0.4824404865203301]],
    [0.1, [3.1823455501015196, 2.557206291702701], [0.1130815635045429, 0.33602558968245394, -0.4491071531869968]],
    [1, [1.6823455501015196, 1.9572062917027007], [-0.03691843649545709, 0.18602558968245395, -0.1491071531869968]],
  ])("label smoothing %f", (labelSmoothing, rows, firstRow) => {
    const x = tensor(LOGITS);
    const labels = indices([2, 0]);
    close(crossEntropy(x, labels, { labelSmoothing, reduction: "none" }).data, rows);
    close(crossEntropy(x, labels, { labelSmoothing, reduction: "sum" }).data, [rows[0] + rows[1]]);
    const y = crossEntropy(x, labels, { labelSmoothing });
    close(y.data, [(rows[0] + rows[1]) / 2]);
    close(grad(y, [x])[0].data.subarray(0, 3), firstRow);
  });

  test("is nllLoss of logSoftmax", () => {
    const x = tensor(LOGITS);
    close(nllLoss(logSoftmax(x), indices([2, 0])).data, [2.986442587568777]);
  });

  test("large logits neither overflow nor lose the gradient", () => {
    const x = tensor([[1e4, -1e4, 0]]);
    const y = crossEntropy(x, indices([1]));
    expect(y.item()).toBe(2e4);
    expect([...grad(y, [x])[0].data]).toEqual([1, -1, 0]);
  });

  test.each([
    [[0, 3], "crossEntropy([2, 3]): label 3 (row 1) is outside 0 … 2."],
    [[-1, 0], "crossEntropy([2, 3]): label -1 (row 0) is outside 0 … 2."],
    [[0], "crossEntropy([2, 3]): 1 labels for 2 rows."],
  ])("labels %j do not fit", (labels, message) => {
    expect(() => crossEntropy(tensor(LOGITS), indices(labels))).toThrow(message);
    expect(() => nllLoss(tensor(LOGITS), indices(labels))).toThrow(message.replace("crossEntropy", "nllLoss"));
  });
});

describe("robustL1Loss", () => {
  test("value and both gradients", () => {
    const [p, s, t] = [tensor(PREDICTION), tensor([0, 0.5, -0.5, 1]), tensor(TARGET)];
    const y = robustL1Loss(p, s, t);
    close(y.data, [2.0237909253538584]);
    const [gp, gs] = grad(y, [p, s]);
    close(gp.data, [-0.3535533905932738, 0.21444097124017672, 0.5829109953992812, -0.13006502375572224]);
    close(gs.data, [0.0732233047033631, 0.14277951437991165, -1.2072774884982027, 0.21748374406106943]);
  });

  test("three equal shapes", () => {
    expect(() => robustL1Loss(zeros([2]), zeros([2, 1]), zeros([2]))).toThrow("robustL1Loss([2], [2, 1], [2]):");
  });
});

test("Huber's δ must be positive", () => {
  expect(() => huberLoss(zeros([2]), zeros([2]), { delta: 0 })).toThrow("huberLoss: delta must be > 0, not 0.");
});
