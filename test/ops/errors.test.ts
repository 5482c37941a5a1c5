import { beforeAll, describe, expect, test } from "vitest";
import * as s from "../../src/index.ts";
import { Csr, grad, indices, init, ShapeError, scope, type Tensor, tensor, UserError, zeros } from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const adj = (): Csr => Csr.fromPairs([0, 1, 1], [0, 1, 2], 2, 3);
const at = (...values: number[]) => indices(values);
const z = (...shape: number[]): Tensor => zeros(shape);

/** Every way to misuse an op: the message names the call with its shapes, and what differs. */
const MISUSE: Record<string, [() => unknown, string][]> = {
  elementwise: [
    [() => s.add(z(2, 3), z(4, 3)), "add([2, 3], [4, 3]): sizes 2 and 4 of axis -2 do not broadcast."],
    [() => s.div(z(2), z(3)), "div([2], [3]): sizes 2 and 3 of axis -1 do not broadcast."],
    [() => s.gt(z(0), z(2)), "gt([0], [2]): sizes 0 and 2 of axis -1 do not broadcast."],
    [() => s.where(z(2, 3), z(2), z()), "where([2, 3], [2], []): sizes 3 and 2 of axis -1 do not broadcast."],
    [() => s.maskedFill(z(2, 3), z(2), { value: 1 }), "maskedFill([2, 3], [2]): sizes 3 and 2"],
    [() => s.prelu(z(2, 3), z(2)), "prelu([2, 3], [2]): sizes 3 and 2"],
  ],
  matmul: [
    [() => s.matmul(z(2, 3), z(4, 5)), "matmul([2, 3], [4, 5]): inner sizes 3 and 4 differ."],
    [() => s.matmul(z(3), z(3, 2)), "matmul([3], [3, 2]): both need at least two axes."],
    [() => s.matmul(z(2, 2, 3), z(5, 3, 4)), "matmul([2], [5]): sizes 2 and 5"],
    [() => s.linear(z(2, 3), z(4, 5), z(4)), "linear([2, 3], [4, 5], [4]): the input has 3 features"],
    [() => s.linear(z(2, 5), z(4, 5), z(1)), "linear([2, 5], [4, 5], [1]): the bias must be [4]."],
    [() => s.outer(z(2, 3), z(3)), "outer([2, 3], [3]): both must be vectors."],
    [() => s.det3(z(2, 3)), "det3([2, 3]): the last two axes must be 3 × 3."],
    [() => s.inverse3(z(3)), "inverse3([3]): the last two axes must be 3 × 3."],
    [() => s.cross(z(2, 3), z(2, 2)), "cross([2, 3], [2, 2]): the last axis must have size 3."],
    [() => s.cross(z(2, 3), z(4, 3)), "cross([2, 3], [4, 3]): sizes 2 and 4"],
    [() => s.attention(z(2, 5), z(4, 6), z(4, 3)), "attention([2, 5], [4, 6], [4, 3]): they must be"],
  ],
  reduce: [
    [() => s.sum(z(2, 3), { axes: 2 }), "sum([2, 3]): there is no axis 2; the axes are -2 … 1."],
    [() => s.sum(z(2, 3), { axes: [0, -2] }), "sum([2, 3]): axis named twice in [0, -2]."],
    [() => s.mean(z(2, 3), { axes: 0.5 }), "mean([2, 3]): there is no axis 0.5"],
    [() => s.variance(z(2, 3), { axes: -3 }), "variance([2, 3]): there is no axis -3"],
    [() => s.norm(z(2, 3), { axes: 2 }), "norm([2, 3]): there is no axis 2"],
    [() => s.norm1(z(2, 3), { axes: 2 }), "norm1([2, 3]): there is no axis 2"],
    [() => s.max(z(2, 3), { axis: 2 }), "max([2, 3]): there is no axis 2"],
    [() => s.max(z(2, 0)), "max([2, 0]): axis -1 is empty: there is nothing to choose from."],
    [() => s.min(z()), "min([]): there is no axis -1: this is a single number."],
    [() => s.argmax(z(0, 2), { axis: 0 }), "argmax([0, 2]): axis 0 is empty"],
    [() => s.argmin(z(2), { axis: 1 }), "argmin([2]): there is no axis 1"],
    [() => s.argsort(z()), "argsort([]): there is no axis -1"],
    [() => s.topk(z(3), { k: 4 }), "topk([3]): k = 4 is not in 0 … 3."],
    [() => s.topk(z(3), { k: -1 }), "topk([3]): k = -1 is not in 0 … 3."],
    [() => s.softmax(z()), "softmax([]): there is no axis -1"],
    [() => s.logSoftmax(z(2), { axis: 1 }), "logSoftmax([2]): there is no axis 1"],
    [() => s.logSumExp(z(2), { axis: -2 }), "logSumExp([2]): there is no axis -2"],
    [() => s.expand(z(2), { shape: [3] }), "expand([2]): it does not stretch to [3]."],
    [() => s.expand(z(1), { shape: [-3] }), "expand([1]): it does not stretch to [-3]."],
    [() => s.expand(z(1), { shape: [2.5] }), "expand([1]): it does not stretch to [2.5]."],
    [() => s.sumTo(z(2, 3), { shape: [2, 2] }), "sumTo([2, 3]): [2, 2] does not stretch to it."],
    [() => s.sumTo(z(3), { shape: [2, 3] }), "sumTo([3]): [2, 3] does not stretch to it."],
  ],
  layout: [
    [() => s.reshape(z(2, 3), { shape: [4] }), "reshape([2, 3]): 6 elements do not fill [4]."],
    [() => s.reshape(z(6), { shape: [-2, -3] }), "reshape([6]): 6 elements do not fill [-2, -3]."],
    [() => s.reshape(z(6), { shape: [1.5, 4] }), "reshape([6]): 6 elements do not fill [1.5, 4]."],
    [() => s.reshape(z(6), { shape: [-1, 4] }), "reshape([6]): no size for −1 in [-1, 4] fits."],
    [() => s.reshape(z(6), { shape: [-1, -1] }), "reshape([6]): no size for −1 in [-1, -1] fits."],
    [() => s.permute(z(3, 4), { axes: [0] }), "permute([3, 4]): [0] must name each of the 2 axes once."],
    [() => s.permute(z(3, 4), { axes: [0, 0] }), "permute([3, 4]): axis named twice in [0, 0]."],
    [() => s.transpose(z(3)), "transpose([3]): there is no axis -2"],
    [
      () => s.slice(z(3), { axis: 0, start: 2, end: 5 }),
      "slice([3]): range 2 … 5 does not lie within axis 0 of size 3.",
    ],
    [() => s.slice(z(3), { axis: 0, start: 0.5 }), "slice([3]): range 0.5 … 3 does not lie"],
    [() => s.pad(z(3), { axis: 0, before: -1 }), "pad([3]): before -1 and after 0 must be whole numbers ≥ 0."],
    [() => s.pad(z(3), { axis: 0, after: 0.5 }), "pad([3]): before 0 and after 0.5 must be whole"],
    [() => s.pad(z(3), { axis: 1 }), "pad([3]): there is no axis 1"],
    [() => s.concat([]), "concat(): there is nothing to join."],
    [() => s.concat([z(2), z(2, 1)]), "concat([2], [2, 1]): shapes must agree outside axis 0."],
    [() => s.concat([z(2, 3), z(2, 4)]), "concat([2, 3], [2, 4]): shapes must agree outside axis 0."],
    [() => s.stack([z(2), z(3)]), "stack([2], [3]): all must have one shape."],
    [() => s.split(z(3), { sizes: [1, 1] }), "split([3]): sizes [1, 1] add up to 2, axis 0 has 3."],
    [() => s.split(z(3), { sizes: [4, -1] }), "split([3]): sizes [4, -1]"],
    [() => s.chunk(z(3), { count: 0 }), "chunk([3]): count 0 must be a whole number > 0."],
    [() => s.unsqueeze(z(3), { axis: 2 }), "unsqueeze([3]): there is no place 2 for a new axis."],
    [() => s.unsqueeze(z(3), { axis: 0.5 }), "unsqueeze([3]): there is no place 0.5"],
    [() => s.squeeze(z(3), { axis: 0 }), "squeeze([3]): axis 0 has size 3, not 1."],
    [() => s.flatten(z(3), { start: 1 }), "flatten([3]): there is no axis 1"],
    [() => s.flip(z(0), { axes: 3 }), "flip([0]): there is no axis 3"],
    [() => s.roll(z(3), { axis: 1, shift: 1 }), "roll([3]): there is no axis 1"],
    [() => s.roll(z(3), { axis: 0, shift: 0.5 }), "roll([3]): shift 0.5 is not a whole number."],
  ],
  gather: [
    [() => s.take(z(3), { index: at(0, 3) }), "take([3]): index 3 (at position 1) is outside axis 0 of size 3."],
    [() => s.take(z(), { index: at(0) }), "take([]): there is no axis 0"],
    [() => s.put(z(2), { index: at(0, 3), size: 3 }), "put([2]): index 3 (at position 1) is outside size 3."],
    [() => s.put(z(2), { index: at(0), size: 3 }), "put([2]): axis 0 has size 2, but there are 1 indices."],
    [() => s.put(z(1), { index: at(0), size: 2.5 }), "put([1]): size 2.5 is not a whole number ≥ 0."],
    [() => s.pick(z(2, 3), { index: at(0, 3) }), "pick([2, 3]): index 3 (row 1) is outside 0 … 2."],
    [() => s.pick(z(2, 3), { index: at(0) }), "pick([2, 3]): 1 indices for 2 rows."],
    [() => s.repeatInterleave(z(2), { counts: [1] }), "repeatInterleave([2]): 1 counts for 2 rows."],
    [() => s.repeatInterleave(z(2), { counts: [1, -1] }), "repeatInterleave([2]): count -1 (row 1) is not a whole"],
    [() => s.repeatInterleave(z(), { counts: [1] }), "repeatInterleave([]): there is no axis 0"],
    [() => s.segmentSum(z(2), { adj: adj() }), "segmentSum([2]): the 2 × 3 structure needs 3 rows."],
    [() => s.segmentMean(z(), { adj: adj() }), "segmentMean([]): the 2 × 3 structure needs 3 rows."],
    [() => s.segmentMax(z(4), { adj: adj() }), "segmentMax([4]): the 2 × 3 structure needs 3 rows."],
    [() => s.segmentMin(z(4), { adj: adj() }), "segmentMin([4]): the 2 × 3 structure needs 3 rows."],
    [() => s.segmentSoftmax(z(3), { ids: at(0, 1), count: 2 }), "segmentSoftmax([3]): 2 segment ids for 3 entries."],
    [() => s.segmentSoftmax(z(1), { ids: at(5), count: 2 }), "segmentSoftmax([1]): id 5 (entry 0) is outside 0 … 1."],
    [() => s.spmm(z(2), z(3, 4), { adj: adj() }), "spmm([2], [3, 4]): the structure has 3 entries."],
    [() => s.spmm(z(3), z(4), { adj: adj() }), "spmm([4]): the 2 × 3 structure needs 3 rows."],
    [() => indices([0.5]), "indices: element 0 is 0.5, not a whole number."],
    [() => Csr.fromPairs([0], [3], 1, 3), "Csr.fromPairs: entry 0 is (0, 3), outside 1 × 3."],
    [() => Csr.fromPairs([0.5], [0], 1, 3), "Csr.fromPairs: entry 0 is (0.5, 0), outside 1 × 3."],
    [() => Csr.fromPairs([0], [], 1, 3), "Csr.fromPairs: 1 rows but 0 columns."],
  ],
  norm: [
    [() => s.layerNorm(z(2, 3), z(2), z(3)), "layerNorm([2, 3], [2], [3]): weight and bias must be [3]."],
    [() => s.batchNorm(z(2, 3), z(3), z(2)), "batchNorm([2, 3], [3], [2]): weight and bias must be [3]."],
    [() => s.batchNorm(z(3), z(3), z(3)), "batchNorm([3], [3], [3]): the input must be [rows, width] or [N, C, …]."],
  ],
  grad: [
    [() => grad(z(3), []), "grad: y has shape [3], not one element."],
    [() => grad(z(3), [], { gradOutput: z(2) }), "grad: gradOutput [2] is not shaped like y [3]."],
  ],
};

describe.each(Object.entries(MISUSE))("%s", (_family, rows) => {
  test.each(rows.map(([call, message]) => [message, call] as const))("%s", (message, call) => {
    expect(call).toThrow(UserError);
    expect(call).toThrow(message);
  });
});

test("a product of matrices that fits transposed says so", () => {
  const b = "Did you mean matmul(a, b, { transposeB: true })?";
  expect(() => s.matmul(z(32, 784), z(10, 784))).toThrow(b);
  expect(() => s.matmul(z(32, 784), z(784, 10), { transposeB: true })).toThrow(b.replace("true", "false"));
  expect(() => s.matmul(z(784, 32), z(784, 10))).toThrow("Did you mean matmul(a, b, { transposeA: true })?");
  expect(() => s.matmul(z(2, 3), z(4, 5))).not.toThrow("Did you mean");
});

test("shape errors are ShapeErrors, with the hint apart", () => {
  const caught = (call: () => unknown): unknown => {
    try {
      return call();
    } catch (error) {
      return error;
    }
  };
  const error = caught(() => s.matmul(z(2, 3), z(4, 3))) as ShapeError;
  expect(error).toBeInstanceOf(ShapeError);
  expect(error.hint).toBe("Did you mean matmul(a, b, { transposeB: true })?");
  expect(error.message).toBe(`matmul([2, 3], [4, 3]): inner sizes 3 and 4 differ.\n  ${error.hint}`);
  expect((caught(() => grad(z(2), [])) as UserError).hint).toContain("y.sum()");
});

test("dead tensors and indices name their scope", () => {
  const x = z(2);
  const [t, index] = [z(2), at(0)];
  t.dispose();
  index.dispose();
  expect(() => s.add(x, t)).toThrow("This tensor of shape [2] was freed");
  expect(() => s.take(x, { index })).toThrow("This tensor of shape [1] was freed");
  let lost: Tensor | undefined;
  let structure: Csr | undefined;
  scope(() => {
    lost = s.add(x, x);
    structure = adj();
  }, "step 7");
  expect(() => s.exp(lost!)).toThrow('This tensor of shape [2] was freed when scope "step 7" ended.');
  expect(() => s.segmentSum(z(3), { adj: structure! })).toThrow('when scope "step 7" ended.');
});

test("an error leaves nothing half done: the next call works", () => {
  const x = tensor([1, 2, 3]);
  expect(() => scope(() => s.add(s.exp(x), z(2)))).toThrow(ShapeError);
  expect([...grad(s.square(x).sum(), [x])[0].data]).toEqual([2, 4, 6]);
});
