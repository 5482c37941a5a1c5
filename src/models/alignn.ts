import { checkpoint } from "../core/grad.ts";
import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import { lineGraph } from "../data/lineGraph.ts";
import { BatchNorm1d, Linear, type Module, type Training } from "../nn/index.ts";
import {
  add,
  affine,
  type BatchNormAttrs,
  batchNorm,
  cosines,
  distances,
  div,
  type EdgeAttrs,
  edgeSum,
  type GaussianBasis,
  gaussianLinear,
  mul,
  neg,
  segmentMean,
  segmentSum,
  sigmoid,
  silu,
  take,
} from "../ops/index.ts";

export interface AlignnOptions {
  /** Layers that see angles. Without any it is a gated graph network of distances alone. */
  alignnLayers?: number;
  /** Layers after these, of bonds alone. */
  gcnLayers?: number;
  /** Width of atoms, bonds and angles. */
  hiddenFeatures?: number;
  /** Width of the first layer for bonds and for angles. */
  embeddingFeatures?: number;
  /** Gaussians of the distance, from 0 to 8 Å. */
  edgeInputFeatures?: number;
  /** Gaussians of the angle's cosine, from −1 to 1. */
  tripletInputFeatures?: number;
}

/** ALIGNN's Gaussians: their coefficient is 1/step, not 1/step². */
function gaussians(start: number, end: number, count: number): GaussianBasis {
  const step = (end - start) / (count - 1);
  return { start, step, count, gamma: 1 / step };
}

/** x + SiLU(BN(y)), or SiLU(BN(y)). While it trains only its result is kept: what lies between is computed again backwards. */
function activated(norm: BatchNorm1d, y: Tensor, x: Tensor | undefined, training?: Training): Tensor {
  const body = (weight: Tensor, bias: Tensor, attrs: BatchNormAttrs): Tensor => {
    const active = (z: Tensor, w: Tensor, b: Tensor): Tensor => silu(batchNorm(z, w, b, attrs));
    return x
      ? checkpoint((s, z, w, b) => add(s, active(z, w, b)), x, y, weight, bias)
      : checkpoint(active, y, weight, bias);
  };
  // One row has no statistics: a structure with a single bond takes the running ones.
  return norm.within(body, y.shape[0], y.shape[0] > 1 ? training : undefined);
}

/** Linear, batch norm, SiLU. */
class MlpLayer {
  readonly layer: readonly [Linear, BatchNorm1d];

  constructor(inputs: number, outputs: number, rng: Rng) {
    this.layer = [new Linear(inputs, outputs, rng), new BatchNorm1d(outputs)];
  }

  forward(x: Tensor, training?: Training): Tensor {
    return activated(this.layer[1], this.layer[0].forward(x), undefined, training);
  }

  /** Of the Gaussians of x [rows], which are not written down. */
  ofGaussians(x: Tensor, basis: GaussianBasis, training?: Training): Tensor {
    const { weight, bias } = this.layer[0];
    return activated(this.layer[1], add(gaussianLinear(x, weight, basis), bias!), undefined, training);
  }
}

/**
 * Edge-gated graph convolution of nodes x and edges e: m = Ws·x_s + Wr·x_r + We·e, x' = x + SiLU(BN(W·x + Σ σ(m)⊙(V·x_s) / Σ σ(m))),
 * e' = e + SiLU(BN(m)). Bresson & Laurent 2017; Dwivedi et al. 2020.
 */
export class EdgeGatedGraphConv {
  readonly src_gate: Linear;
  readonly dst_gate: Linear;
  readonly edge_gate: Linear;
  readonly bn_edges: BatchNorm1d;
  readonly src_update: Linear;
  readonly dst_update: Linear;
  readonly bn_nodes: BatchNorm1d;

  constructor(width: number, rng: Rng) {
    const square = (): Linear => new Linear(width, width, rng);
    this.src_gate = square();
    this.dst_gate = square();
    this.edge_gate = square();
    this.bn_edges = new BatchNorm1d(width);
    this.src_update = square();
    this.dst_update = square();
    this.bn_nodes = new BatchNorm1d(width);
  }

  /** x [nodes, width], e [edges, width] → the same; `last` leaves the edges out, where nothing asks for them. */
  forward(x: Tensor, e: Tensor, edges: EdgeAttrs, training?: Training, last = false): { x: Tensor; e: Tensor } {
    const { receiver, sender, receivers, senders } = edges;
    const attrs = { receiver, sender, receivers, senders };
    const m = edgeSum(this.dst_gate.forward(x), this.src_gate.forward(x), this.edge_gate.forward(e), attrs);
    const gated = (z: Tensor, sent: Tensor): Tensor => {
      const gate = sigmoid(z);
      const messages = mul(gate, segmentSum(sent, { adj: senders.transposed }));
      const weight = affine(segmentSum(gate, { adj: receivers }), { scale: 1, shift: 1e-6 });
      return div(segmentSum(messages, { adj: receivers }), weight);
    };
    const h = checkpoint(gated, m, this.dst_update.forward(x));
    return {
      x: activated(this.bn_nodes, add(this.src_update.forward(x), h), x, training),
      e: last ? e : activated(this.bn_edges, m, e, training),
    };
  }
}

/** Atoms and bonds by one convolution, then bonds and angles by another one on the line graph. */
class AlignnConv {
  readonly node_update: EdgeGatedGraphConv;
  readonly edge_update: EdgeGatedGraphConv;

  constructor(width: number, rng: Rng) {
    this.node_update = new EdgeGatedGraphConv(width, rng);
    this.edge_update = new EdgeGatedGraphConv(width, rng);
  }
}

/**
 * ALIGNN, the atomistic line graph neural network: convolutions over bonds and over the angles between them. Choudhary & DeCost, npj
 * Comput. Mater. 7, 185 (2021). 4,026,753 parameters with the defaults and 92 numbers for an atom; names and shapes are those of the
 * authors' state dicts. Graphs are to be symmetric (`CrystalGraphSpec.symmetric`).
 */
export class Alignn implements Module<[atoms: Tensor, graph: Graph]> {
  readonly atom_embedding: MlpLayer;
  /** The authors' layer 0 is the Gaussians. */
  readonly edge_embedding: Readonly<Record<1 | 2, MlpLayer>>;
  readonly angle_embedding: Readonly<Record<1 | 2, MlpLayer>>;
  readonly alignn_layers: AlignnConv[];
  readonly gcn_layers: EdgeGatedGraphConv[];
  readonly fc: Linear;
  private readonly bondBasis: GaussianBasis;
  private readonly angleBasis: GaussianBasis;

  constructor(
    inputs: number,
    outputs: number,
    rng: Rng,
    {
      alignnLayers = 4,
      gcnLayers = 4,
      hiddenFeatures = 256,
      embeddingFeatures = 64,
      edgeInputFeatures = 80,
      tripletInputFeatures = 40,
    }: AlignnOptions = {},
  ) {
    this.bondBasis = gaussians(0, 8, edgeInputFeatures);
    this.angleBasis = gaussians(-1, 1, tripletInputFeatures);
    const embedding = (count: number) => ({
      1: new MlpLayer(count, embeddingFeatures, rng),
      2: new MlpLayer(embeddingFeatures, hiddenFeatures, rng),
    });
    this.atom_embedding = new MlpLayer(inputs, hiddenFeatures, rng);
    this.edge_embedding = embedding(edgeInputFeatures);
    this.angle_embedding = embedding(tripletInputFeatures);
    this.alignn_layers = Array.from({ length: alignnLayers }, () => new AlignnConv(hiddenFeatures, rng));
    this.gcn_layers = Array.from({ length: gcnLayers }, () => new EdgeGatedGraphConv(hiddenFeatures, rng));
    this.fc = new Linear(hiddenFeatures, outputs, rng);
  }

  /** atoms [atoms, inputs] and the crystals' graph with vectors → [crystals, outputs]. */
  forward(atoms: Tensor, graph: Graph, training?: Training): Tensor {
    const { alignn_layers: angular, gcn_layers: plain } = this;
    const bonds = graph.vector!;
    const embed = (layers: Readonly<Record<1 | 2, MlpLayer>>, x: Tensor, basis: GaussianBasis): Tensor =>
      layers[2].forward(layers[1].ofGaussians(x, basis, training), training);
    let x = this.atom_embedding.forward(atoms, training);
    let y = embed(this.edge_embedding, distances(bonds), this.bondBasis);
    if (angular.length > 0) {
      const line = lineGraph(graph);
      // A bond points from its receiver to its sender; of two bonds that follow each other the angle is that at the common atom.
      const cosine = cosines(take(bonds, { index: line.sender }), take(bonds, { index: line.receiver }));
      let z = embed(this.angle_embedding, neg(cosine), this.angleBasis);
      angular.forEach(({ node_update, edge_update }, k) => {
        const atomic = node_update.forward(x, y, graph, training);
        const angles = edge_update.forward(atomic.e, z, line, training, k === angular.length - 1);
        [x, y, z] = [atomic.x, angles.x, angles.e];
      });
    }
    plain.forEach((conv, k) => {
      ({ x, e: y } = conv.forward(x, y, graph, training, k === plain.length - 1));
    });
    return this.fc.forward(segmentMean(x, { adj: graph.owners }));
  }
}
