import { UserError } from "../core/errors.ts";
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
  /**
   * How atoms make a structure's value: "sum" of what each contributes, for extensive ones such as an energy; their "mean"; or "pooled":
   * the mean of the atoms' vectors goes through two hidden layers of 128 and 64, for values that are of the whole, such as a gap.
   */
  readout?: "sum" | "mean" | "pooled";
  /** Highest atomic number + 1. */
  maxZ?: number;
}

/** A linear layer as SchNet starts it: Xavier-uniform weight, zero bias. */
export function dense(inputs: number, outputs: number, rng: Rng, { bias = true } = {}): Linear {
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
  private readonly readout: "sum" | "mean" | "pooled";
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
    const sizes = [nAtomBasis, ...(readout === "pooled" ? [128, 64] : [nAtomBasis >> 1]), outputs];
    this.outnet = sizes.slice(1).map((size, i) => dense(sizes[i], size, rng));
    const last = this.outnet.at(-1)!.weight;
    if (this.original) last.set(zeros(last.shape).data);
  }

  /** The atoms' vectors after all interactions, [atoms, width]. */
  private represent(graph: Graph): Tensor {
    // An edge and its reverse have one length, and so one filter: the costly part is done once for both.
    const d = distances(take(graph.vector!, { index: graph.pairs.first }));
    const rbf = gaussianBasis(d, this.basis);
    const cut = this.original ? undefined : reshape(cosineCutoff(d, { cutoff: this.cutoff }), { shape: [d.size, 1] });
    let x = this.embedding.forward(graph.numbers!);
    for (const interaction of this.interactions) x = interaction.forward(x, rbf, cut, graph);
    return x;
  }

  private output(x: Tensor): Tensor {
    const last = this.outnet.length - 1;
    return this.outnet.reduce((y, layer, i) => (i < last ? ssp(layer.forward(y)) : layer.forward(y)), x);
  }

  /** What each atom contributes, [atoms, outputs]. @throws UserError where atoms are pooled before they have a value */
  atomwise(graph: Graph): Tensor {
    if (this.readout === "pooled")
      throw new UserError(
        "This SchNet pools its atoms' vectors: single atoms contribute no value of their own.",
        'Use readout "sum" or "mean".',
      );
    return this.output(this.represent(graph));
  }

  /** → [structures, outputs]. */
  forward(graph: Graph): Tensor {
    if (this.readout === "pooled") return this.output(segmentMean(this.represent(graph), { adj: graph.owners }));
    const pool = this.readout === "sum" ? segmentSum : segmentMean;
    return pool(this.atomwise(graph), { adj: graph.owners });
  }
}
