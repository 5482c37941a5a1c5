import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import { BatchNorm1d, Dropout, Linear, type Module, type Training } from "../nn/index.ts";
import {
  add,
  type BatchNormAttrs,
  type EdgeAttrs,
  type GaussianBasis,
  gatedSum,
  gaussianEdgeSum,
  linear,
  matmul,
  segmentMean,
  slice,
  softplus,
} from "../ops/index.ts";

export interface CgcnnOptions {
  /** Width of an atom's hidden vector. */
  atomFeaLen?: number;
  /** Convolutions. */
  nConv?: number;
  /** Width of the hidden layers after pooling. */
  hFeaLen?: number;
  /** Hidden layers after pooling. */
  nH?: number;
  /** Gaussians of the distance, Å. */
  basis?: GaussianBasis;
  /** Share of the crystal's vector dropped before the output while training; the authors' classifier has 0.5. */
  dropout?: number;
}

/** μ = 0, 0.2, …, 8 Å and exp(−(d − μ)²/0.2²): the authors' forty-one filters. */
export const CGCNN_BASIS: GaussianBasis = { start: 0, step: 0.2, count: 41, gamma: 25 };

/** Crystal graph convolution: vᵢ ← softplus(vᵢ + BN Σⱼ σ(zᵢⱼ·Wf + bf) ⊙ softplus(zᵢⱼ·Ws + bs)), zᵢⱼ = [vᵢ, vⱼ, uᵢⱼ], BN inside, too. */
export class CgConv {
  /** [2·atom, 2·atom + bond]: rows of the gate, then of the core. */
  readonly fc_full: Linear;
  readonly bn1: BatchNorm1d;
  readonly bn2: BatchNorm1d;

  constructor(
    readonly width: number,
    private readonly basis: GaussianBasis,
    rng: Rng,
  ) {
    this.fc_full = new Linear(2 * width + basis.count, 2 * width, rng);
    this.bn1 = new BatchNorm1d(2 * width);
    this.bn2 = new BatchNorm1d(width);
  }

  /** v [atoms, atom] → [atoms, atom]. */
  forward(v: Tensor, graph: Graph, training?: Training): Tensor {
    const { width, basis } = this;
    const { weight, bias } = this.fc_full;
    // W·[vᵢ; vⱼ; u] = Wᵢ·vᵢ + Wⱼ·vⱼ + Wᵤ·u: one row for each atom instead of each edge, and no concatenated matrix.
    const columns = (start: number, end: number): Tensor => slice(weight, { axis: 1, start, end });
    const p = linear(v, columns(0, width), bias!);
    const q = matmul(v, columns(width, 2 * width), { transposeB: true });
    const u = columns(2 * width, 2 * width + basis.count);
    const z = gaussianEdgeSum(p, q, graph.distance!, u, { ...edgesOf(graph), basis });
    const { receivers } = graph;
    const gated = (w: Tensor, b: Tensor, attrs: BatchNormAttrs): Tensor => gatedSum(z, w, b, { ...attrs, receivers });
    // A single edge has no statistics: among atoms far from all others the running ones must do.
    const s = this.bn1.within(gated, graph.edges, graph.edges > 1 ? training : undefined);
    return softplus(add(v, this.bn2.forward(s, training)));
  }
}

/** The part of a graph that says which nodes an edge joins. */
const edgesOf = ({ receiver, sender, receivers, senders }: Graph): EdgeAttrs => ({
  receiver,
  sender,
  receivers,
  senders,
});

/**
 * CGCNN: atoms as vectors, convolved with their neighbours, averaged over the crystal, two fully connected layers.
 * Xie & Grossman, Phys. Rev. Lett. 120, 145301 (2018). 80,833 parameters with the defaults, 92 numbers an atom and one output.
 * Names and shapes are those of the authors' state dicts.
 */
export class Cgcnn implements Module<[atoms: Tensor, graph: Graph]> {
  readonly embedding: Linear;
  readonly convs: CgConv[];
  readonly conv_to_fc: Linear;
  readonly fcs: Linear[];
  readonly fc_out: Linear;
  private readonly dropout: Dropout;

  constructor(
    inputs: number,
    outputs: number,
    rng: Rng,
    { atomFeaLen = 64, nConv = 3, hFeaLen = 128, nH = 1, basis = CGCNN_BASIS, dropout = 0 }: CgcnnOptions = {},
  ) {
    if (atomFeaLen % 4 !== 0) throw new UserError(`CGCNN: atomFeaLen must be a multiple of 4, not ${atomFeaLen}.`);
    this.embedding = new Linear(inputs, atomFeaLen, rng);
    this.convs = Array.from({ length: nConv }, () => new CgConv(atomFeaLen, basis, rng));
    this.conv_to_fc = new Linear(atomFeaLen, hFeaLen, rng);
    this.fcs = Array.from({ length: nH - 1 }, () => new Linear(hFeaLen, hFeaLen, rng));
    this.fc_out = new Linear(hFeaLen, outputs, rng);
    this.dropout = new Dropout(dropout);
  }

  /** atoms [atoms, inputs] and the crystals' graph → [crystals, outputs]. */
  forward(atoms: Tensor, graph: Graph, training?: Training): Tensor {
    let v = this.embedding.forward(atoms);
    for (const conv of this.convs) v = conv.forward(v, graph, training);
    let g = softplus(segmentMean(v, { adj: graph.owners }));
    g = softplus(this.conv_to_fc.forward(g));
    for (const fc of this.fcs) g = softplus(fc.forward(g));
    return this.fc_out.forward(this.dropout.forward(g, training));
  }
}
