// One case for each family of kernels, on a million elements: where a change of a kernel shows first.
import {
  add,
  batchNorm,
  Csr,
  conv2d,
  crossEntropy,
  exp,
  gelu,
  grad,
  indices,
  layerNorm,
  maxPool2d,
  noGrad,
  permute,
  Rng,
  scope,
  segmentSum,
  softmax,
  sum,
  take,
  tanh,
} from "spinel";
import { Linear } from "spinel/nn";
import { Adam } from "spinel/train";

const N = 1 << 20;

/** A case that computes y from one [1024, 1024] operand and throws it away. */
const map = (f) => () => {
  const x = new Rng(1).normal([1024, 1024]);
  return { step: () => noGrad(() => scope(() => void f(x))) };
};

/** A convolution of images, alone or with its two gradients. */
const conv = (size, [outside, inside, kernel], options, { gradients = false } = {}) => {
  return () => {
    const rng = new Rng(1);
    const x = rng.normal(size);
    const weight = rng.normal([outside, inside, kernel, kernel]);
    const forward = () => conv2d(x, weight, options);
    if (!gradients) return { step: () => noGrad(() => scope(() => void forward())) };
    return { step: () => scope(() => void grad(sum(forward()), [x, weight])) };
  };
};

const weighted = (f) =>
  map((x) =>
    f(x, x.slice({ axis: 0, start: 0, end: 1 }).reshape(1024), x.slice({ axis: 0, start: 1, end: 2 }).reshape(1024)),
  );

export const families = {
  "elementwise.add": map((x) => add(x, x)),
  "elementwise.exp": map(exp),
  "elementwise.tanh": map(tanh),
  "elementwise.gelu": map(gelu),
  "reduce.sum": map((x) => sum(x)),
  "reduce.rows": map((x) => sum(x, { axes: 1 })),
  "reduce.columns": map((x) => sum(x, { axes: 0 })),
  "reduce.softmax": map((x) => softmax(x)),
  "layout.transpose": map((x) => permute(x, { axes: [1, 0] })),
  "norm.layer": weighted(layerNorm),
  "norm.batch": weighted(batchNorm),
  "norm.images": () => {
    const rng = new Rng(1);
    const [x, weight, bias] = [rng.normal([16, 64, 32, 32]), rng.normal([64]), rng.normal([64])];
    return { step: () => noGrad(() => scope(() => void batchNorm(x, weight, bias, { activation: "relu" }))) };
  },
  "conv.winograd4": conv([16, 64, 32, 32], [64, 64, 3], { padding: 1 }),
  "conv.winograd4.gradients": conv([16, 64, 32, 32], [64, 64, 3], { padding: 1 }, { gradients: true }),
  "conv.winograd2": conv([32, 256, 2, 2], [256, 256, 3], { padding: 1 }),
  "conv.packed": conv([16, 64, 32, 32], [64, 64, 5], { padding: 2, stride: 2 }),
  "conv.packed.gradients": conv([16, 64, 32, 32], [64, 64, 5], { padding: 2, stride: 2 }, { gradients: true }),
  "conv.depthwise": conv([16, 64, 32, 32], [64, 1, 3], { padding: 1, groups: 64 }),
  "pool.max2x2": () => {
    const x = new Rng(1).normal([16, 64, 32, 32]);
    return { step: () => noGrad(() => scope(() => void maxPool2d(x, { kernelSize: 2 }))) };
  },
  "gather.take": () => {
    const rng = new Rng(1);
    const x = rng.normal([N / 64, 64]);
    const index = indices(Int32Array.from({ length: N / 64 }, () => rng.integer(N / 64)));
    return { step: () => noGrad(() => scope(() => void take(x, { index }))) };
  },
  "gather.segmentSum": () => {
    const rng = new Rng(1);
    const nodes = N / 64;
    const pick = () => Int32Array.from({ length: 12 * nodes }, () => rng.integer(nodes));
    const adj = Csr.fromPairs(pick(), pick(), nodes, nodes);
    const x = rng.normal([nodes, 64]);
    return { step: () => noGrad(() => scope(() => void segmentSum(x, { adj }))) };
  },
  "random.normal": () => {
    const rng = new Rng(1);
    return { step: () => scope(() => void rng.normal([N])) };
  },
  "optim.adam": () => {
    const rng = new Rng(1);
    const layer = new Linear(1024, 1024, rng);
    const optimizer = new Adam(layer);
    const gradients = optimizer.parameters.map((p) => rng.normal(p.shape));
    return { step: () => optimizer.step(gradients) };
  },
  "loss.crossEntropy": () => {
    const rng = new Rng(1);
    const x = rng.normal([1024, 1024]);
    const labels = indices(Int32Array.from({ length: 1024 }, () => rng.integer(1024)));
    return { step: () => scope(() => void grad(crossEntropy(x, labels), [x])) };
  },
};
