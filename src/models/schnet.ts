import type { Rng } from "../core/random.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import { cosineCutoff, Embedding, gaussiansTo, init, Linear, type Module } from "../nn/index.ts";
import {
  add,
  distances,
  filteredSum,
  type GaussianBasis,
  gaussianBasis,
  mul,
  reshape,
  segmentMean,
  segmentSum,
  ssp,
  take,
} from "../ops/index.ts";

export interface SchNetOptions {
  /** Width of an atom's vector. */
  nAtomBasis?: number;
  /** Interaction blocks; their weights are not shared. */
  nInteractions?: number;
  /** Å: atoms farther apart do not see each other. */
  cutoff?: number;
  /** Gaussians of the distance ("schnetpack": 20 from 0 to the cutoff; "original": one every 0.1 Å). */
  nRbf?: number;
  /**
   * "schnetpack": a linear layer ends the filter, which a cosine takes smoothly to 0 at the cutoff. "original": the filter ends in ssp
   * and is cut off, so that energies jump as a neighbour crosses the cutoff; the output starts at 0.
   */
  variant?: "schnetpack" | "original";
  /** How atoms add up to a structure's value: "sum" for extensive ones such as an energy, "mean" for others. */
  readout?: "sum" | "mean";
  /** Highest atomic number + 1. */
  maxZ?: number;
}

/** A linear layer as SchNet starts it: Xavier-uniform weight, zero bias. */
function dense(inputs: number, outputs: number, rng: Rng, { bias = true } = {}): Linear {
  const layer = new Linear(inputs, outputs, rng, { bias });
  layer.weight.set(init.xavierUniform([outputs, inputs], rng).data);
  layer.bias?.set(new Float32Array(outputs));
  return layer;
}

/** x ← x + Dense(ssp(Dense(Σⱼ (W·xⱼ) ⊙ filter(dᵢⱼ)))): a continuous-filter convolution and two atom-wise layers. */
export class SchNetInteraction {
  readonly in2f: Linear;
  readonly f2out: Linear[];
  readonly filter_network: Linear[];

  constructor(width: number, nRbf: number, rng: Rng) {
    this.in2f = dense(width, width, rng, { bias: false });
    this.f2out = [dense(width, width, rng), dense(width, width, rng)];
    this.filter_network = [dense(nRbf, width, rng), dense(width, width, rng)];
  }

  /** x [atoms, width], rbf [pairs, nRbf], cut [pairs, 1] (without it, ssp ends the filter) → [atoms, width]. */
  forward(x: Tensor, rbf: Tensor, cut: Tensor | undefined, graph: Graph): Tensor {
    const [first, second] = this.filter_network;
    const w = second.forward(ssp(first.forward(rbf)));
    const filter = cut ? mul(w, cut) : ssp(w);
    const y = filteredSum(this.in2f.forward(x), filter, graph);
    return add(x, this.f2out[1].forward(ssp(this.f2out[0].forward(y))));
  }
}

/**
 * SchNet: atoms as learned vectors that interact through filters of their distances; a sum, or mean, of atomic contributions.
 * Schütt et al., NeurIPS 2017 and J. Chem. Phys. 148, 241722 (2018). 226,945 parameters with width 128, three blocks, 20 Gaussians.
 * Names and shapes of the weights follow SchNetPack's representation and output module.
 */
export class SchNet implements Module<[graph: Graph]> {
  readonly embedding: Embedding;
  readonly interactions: SchNetInteraction[];
  readonly outnet: Linear[];
  private readonly basis: GaussianBasis;
  private readonly cutoff: number;
  private readonly readout: "sum" | "mean";
  private readonly original: boolean;

  constructor(
    outputs: number,
    rng: Rng,
    {
      nAtomBasis = 128,
      nInteractions = 3,
      cutoff = 5,
      variant = "schnetpack",
      nRbf = variant === "original" ? Math.ceil(cutoff / 0.1) : 20,
      readout = "sum",
      maxZ = 100,
    }: SchNetOptions = {},
  ) {
    this.original = variant === "original";
    this.basis = this.original
      ? { start: 0, step: cutoff / Math.max(1, nRbf - 1), count: nRbf, gamma: 10 }
      : gaussiansTo(cutoff, nRbf);
    this.cutoff = cutoff;
    this.readout = readout;
    this.embedding = new Embedding(maxZ, nAtomBasis, rng);
    this.interactions = Array.from({ length: nInteractions }, () => new SchNetInteraction(nAtomBasis, nRbf, rng));
    const half = nAtomBasis >> 1;
    this.outnet = [dense(nAtomBasis, half, rng), dense(half, outputs, rng)];
    if (this.original) this.outnet[1].weight.set(zeros([outputs, half]).data);
  }

  /** What each atom contributes, [atoms, outputs]. */
  atomwise(graph: Graph): Tensor {
    // An edge and its reverse have one length, and so one filter: the costly part is done once for both.
    const d = distances(take(graph.vector!, { index: graph.pairs.first }));
    const rbf = gaussianBasis(d, this.basis);
    const cut = this.original ? undefined : reshape(cosineCutoff(d, { cutoff: this.cutoff }), { shape: [d.size, 1] });
    let x = this.embedding.forward(graph.numbers!);
    for (const interaction of this.interactions) x = interaction.forward(x, rbf, cut, graph);
    return this.outnet[1].forward(ssp(this.outnet[0].forward(x)));
  }

  /** → [structures, outputs]. */
  forward(graph: Graph): Tensor {
    const pool = this.readout === "sum" ? segmentSum : segmentMean;
    return pool(this.atomwise(graph), { adj: graph.owners });
  }
}
