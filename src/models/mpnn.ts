import type { Rng } from "../core/random.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import {
  type Aggregation,
  aggregate,
  Embedding,
  GRUCell,
  Linear,
  type Module,
  Sequential,
  Set2Set,
} from "../nn/index.ts";
import { distances, type GaussianBasis, gaussianBasis, matmul, relu, reshape, take } from "../ops/index.ts";

export interface MpnnOptions {
  /** Width of an atom's vector. */
  dim?: number;
  /** Width of the edge network's hidden layer. */
  hidden?: number;
  /** Rounds of messages; they share their weights. */
  steps?: number;
  /** Times that Set2Set looks at the atoms. */
  set2setSteps?: number;
  /** Gaussians of the distance, Å: what an edge is. */
  basis?: GaussianBasis;
  /** How the messages that an atom receives become one. */
  aggregation?: Aggregation;
  /** Highest atomic number + 1. */
  maxZ?: number;
}

/** 0, 0.2, …, 5 Å. */
export const MPNN_BASIS: GaussianBasis = { start: 0, step: 0.2, count: 26, gamma: 12.5 };

/**
 * Message passing neural network: mᵢ = Σⱼ A(eᵢⱼ)·hⱼ, with a matrix A that a network makes of each edge, hᵢ ← GRU(mᵢ, hᵢ), and a Set2Set
 * readout. Gilmer, Schoenholz, Riley, Vinyals, Dahl, ICML 2017 ("edge network"). Atoms are known by their numbers, edges by their lengths.
 */
export class Mpnn implements Module<[graph: Graph]> {
  readonly embedding: Embedding;
  /** Of an edge, to [dim·dim]. */
  readonly nn: Sequential;
  readonly gru: GRUCell;
  readonly set2set: Set2Set;
  readonly lin1: Linear;
  readonly lin2: Linear;
  readonly steps: number;
  private readonly basis: GaussianBasis;
  private readonly aggregation: Aggregation;

  constructor(
    outputs: number,
    rng: Rng,
    {
      dim = 64,
      hidden = 128,
      steps = 3,
      set2setSteps = 3,
      basis = MPNN_BASIS,
      aggregation = "mean",
      maxZ = 119,
    }: MpnnOptions = {},
  ) {
    this.steps = steps;
    this.basis = basis;
    this.aggregation = aggregation;
    this.embedding = new Embedding(maxZ, dim, rng);
    this.nn = new Sequential(new Linear(basis.count, hidden, rng), relu, new Linear(hidden, dim * dim, rng));
    this.gru = new GRUCell(dim, dim, rng);
    this.set2set = new Set2Set(dim, rng, { steps: set2setSteps });
    this.lin1 = new Linear(2 * dim, dim, rng);
    this.lin2 = new Linear(dim, outputs, rng);
  }

  /** → [structures, outputs]. */
  forward(graph: Graph): Tensor {
    const h = this.atoms(graph);
    return this.lin2.forward(relu(this.lin1.forward(this.set2set.forward(h, graph.owners))));
  }

  /** The atoms' vectors after all messages, [atoms, dim]. */
  private atoms(graph: Graph): Tensor {
    let h = this.embedding.forward(graph.numbers!);
    const dim = h.shape[1];
    const { edges, nodes } = graph;
    const ofEdges = this.nn.forward(gaussianBasis(distances(graph.vector!), this.basis));
    const matrices = reshape(ofEdges, { shape: [edges, dim, dim] });
    for (let step = 0; step < this.steps; step++) {
      const sent = reshape(take(h, { index: graph.sender }), { shape: [edges, 1, dim] });
      const messages = reshape(matmul(sent, matrices), { shape: [edges, dim] });
      const received = edges > 0 ? aggregate(messages, graph.receivers, this.aggregation) : zeros([nodes, dim]);
      h = this.gru.forward(received, h);
    }
    return h;
  }
}
