// The tasks that other libraries are measured on under the same names. Each returns the step that is timed.
import { add, crossEntropy, grad, indices, l1Loss, matmul, mseLoss, noGrad, Rng, relu, scope } from "spinel";
import { Graph, graphData } from "spinel/data";
import { Cgcnn, ElemNet, Gcn, Mlp, SchNet, Vgg } from "spinel/models";
import { Conv2d, Dropout, Flatten, forcesOf, Linear, MaxPool2d, Sequential, TransformerEncoder } from "spinel/nn";
import { Adam, Sgd } from "spinel/train";

const trainer = (optimizer, loss) => () =>
  scope(() => {
    optimizer.step(grad(loss(), optimizer.parameters));
  });

/** A training step of a classifier of ten classes. */
function classifierStep(model, shape, rng) {
  const x = rng.normal(shape);
  const labels = indices(Int32Array.from({ length: shape[0] }, () => rng.integer(10)));
  return trainer(new Adam(model), () => crossEntropy(model.forward(x, { rng }), labels));
}

function gemm(n) {
  return () => {
    const rng = new Rng(1);
    const a = rng.normal([n, n]);
    const b = rng.normal([n, n]);
    const step = () => noGrad(() => scope(() => void matmul(a, b)));
    return { step, flops: 2 * n ** 3 };
  };
}

/** A training step of CGCNN with three convolutions, Adam, on crystals of 20 atoms with 12 neighbours each. */
export function cgcnnStep(edges) {
  const [atoms, neighbours] = [20, 12];
  const rng = new Rng(1);
  const each = Int32Array.from({ length: atoms * neighbours }, (_, e) => e);
  const graphs = Array.from({ length: Math.round(edges / each.length) }, () => {
    const sender = each.map(() => rng.integer(atoms));
    const distance = Float32Array.from(each, () => 1.5 + 6 * rng.random());
    const receiver = each.map((e) => Math.floor(e / neighbours));
    return graphData(atoms, sender, receiver, { distance });
  });
  const graph = Graph.batch(graphs);
  const [x, y] = [rng.uniform([graph.nodes, 92]), rng.normal([graphs.length, 1])];
  const model = new Cgcnn(92, 1, rng);
  return trainer(new Adam(model, { lr: 1e-2 }), () => mseLoss(model.forward(x, graph, { rng }), y));
}

/** Molecules of so many atoms at random places, that all see each other. */
function molecules(count, atoms, rng) {
  const pairs = Array.from({ length: atoms ** 2 }, (_, k) => [Math.floor(k / atoms), k % atoms]).filter(
    ([i, j]) => i !== j,
  );
  const [receiver, sender] = [0, 1].map((end) => pairs.map((ends) => ends[end]));
  return Array.from({ length: count }, () => {
    const r = Float32Array.from({ length: 3 * atoms }, () => 5 * rng.random());
    const vector = Float32Array.from(pairs.flatMap(([i, j]) => [0, 1, 2].map((k) => r[3 * j + k] - r[3 * i + k])));
    const numbers = Int32Array.from({ length: atoms }, () => 1 + rng.integer(9));
    return graphData(atoms, sender, receiver, { numbers, vector });
  });
}

/** A training step of SchNet, 50 Gaussians, on energies and forces of molecules of 21 atoms; Adam. */
export function schnetStep(edges) {
  const rng = new Rng(1);
  const graph = Graph.batch(molecules(Math.max(1, Math.round(edges / 420)), 21, rng));
  const model = new SchNet(1, rng, { nRbf: 50 });
  const [energies, forces] = [rng.normal([graph.count, 1]), rng.normal([graph.nodes, 3])];
  const loss = () => {
    const energy = model.forward(graph);
    const found = forcesOf(energy, graph, { differentiable: true });
    return add(mseLoss(energy, energies).mul(0.01), mseLoss(found.forces, forces));
  };
  return trainer(new Adam(model), loss);
}

/** A training step of a two-layer GCN, width 64, on one graph of nodes with 20 neighbours each; Adam. */
export function gcnStep(edges) {
  const rng = new Rng(1);
  const nodes = Math.round(edges / 20);
  const receiver = Int32Array.from({ length: edges }, (_, e) => Math.floor(e / 20));
  const graph = Graph.batch([
    graphData(
      nodes,
      receiver.map(() => rng.integer(nodes)),
      receiver,
    ),
  ]);
  const x = rng.normal([nodes, 64]);
  const labels = indices(Int32Array.from({ length: nodes }, () => rng.integer(7)));
  const model = new Gcn(64, 7, rng, { hidden: [64] });
  return trainer(new Adam(model, { lr: 1e-2 }), () =>
    crossEntropy(model.forward(x, graph, undefined, { rng }), labels),
  );
}

export const tasks = {
  gemm64: gemm(64),
  gemm256: gemm(256),
  gemm1024: gemm(1024),

  /** 2-8-8-1, tanh throughout, batch 10, squared error, SGD 0.03. */
  playground() {
    const rng = new Rng(1);
    const model = new Mlp([2, 8, 8, 1], rng, { activation: "tanh" });
    const [x, y] = [rng.normal([10, 2]), rng.normal([10, 1]).sign()];
    return { step: trainer(new Sgd(model, { lr: 0.03 }), () => mseLoss(model.forward(x).tanh(), y)) };
  },

  /** 784-512-256-10, ReLU, batch 128, cross-entropy, Adam. */
  mlp() {
    const rng = new Rng(1);
    const model = new Mlp([784, 512, 256, 10], rng);
    const x = rng.normal([128, 784]);
    const labels = indices(Int32Array.from({ length: 128 }, () => rng.integer(10)));
    return { step: trainer(new Adam(model), () => crossEntropy(model.forward(x), labels)) };
  },

  /** ElemNet's seventeen layers without dropout, batch 32, absolute error, Adam. */
  elemnet() {
    const rng = new Rng(1);
    const model = new ElemNet(86, 1, rng, { dropout: false });
    const [x, y] = [rng.uniform([32, 86]), rng.normal([32, 1])];
    return { step: trainer(new Adam(model), () => l1Loss(model.forward(x), y)) };
  },

  /** CGCNN on 256 crystals of 20 atoms with 12 neighbours: 61,440 edges. */
  cgcnn: () => ({ step: cgcnnStep(61_440) }),

  /** SchNet of width 128, three blocks, 50 Gaussians, on 8 molecules of 21 atoms that all see each other: energies and forces, Adam. */
  schnet_forces: () => ({ step: schnetStep(8 * 420) }),

  /** Three transformer layers of width 512, 4 heads, hidden 2048, dropout 0.1, and a linear one, on 64 × 8 tokens, absolute error, Adam. */
  crabnet() {
    const rng = new Rng(1);
    const [encoder, head] = [new TransformerEncoder(512, 4, 3, rng), new Linear(512, 1, rng)];
    const [x, y] = [rng.normal([64, 8, 512]), rng.normal([64, 8, 1])];
    const forward = () => head.forward(encoder.forward(x, undefined, { rng }));
    return { step: trainer(new Adam({ encoder, head }), () => l1Loss(forward(), y)) };
  },

  /** 28 × 28, convolutions to 32 and 64 channels, pool, dropout, 9216-128-10, batch 64, cross-entropy, Adam. */
  cnn() {
    const rng = new Rng(1);
    const model = new Sequential(
      ...[new Conv2d(1, 32, 3, rng), relu, new Conv2d(32, 64, 3, rng), relu, new MaxPool2d(2), new Dropout(0.25)],
      ...[new Flatten(), new Linear(9216, 128, rng), relu, new Dropout(0.5), new Linear(128, 10, rng)],
    );
    return { step: classifierStep(model, [64, 1, 28, 28], rng) };
  },

  /** VGG11 with batch norm on 32 × 32, batch 32, cross-entropy, Adam. */
  vgg11bn_train() {
    const rng = new Rng(1);
    const model = new Vgg([3, 32, 32], 10, rng, { depth: 11, batchNorm: true, head: "cifar" });
    return { step: classifierStep(model, [32, 3, 32, 32], rng) };
  },

  /** VGG16 on one image of 224 × 224. */
  vgg16_infer() {
    const rng = new Rng(1);
    const model = new Vgg([3, 224, 224], 1000, rng);
    const x = rng.normal([1, 3, 224, 224]);
    return { step: () => noGrad(() => scope(() => void model.forward(x))) };
  },
};
