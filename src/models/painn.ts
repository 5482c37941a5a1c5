import type { Rng } from "../core/random.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import { besselBasis, cosineCutoff, Embedding, gaussiansTo, type Linear, type Module } from "../nn/index.ts";
import {
  add,
  chunk,
  clamp,
  concat,
  distances,
  div,
  expand,
  filteredSum,
  gaussianBasis,
  linear,
  matmul,
  mul,
  reshape,
  segmentMean,
  segmentSum,
  silu,
  slice,
  sqrt,
  square,
  sum,
  take,
} from "../ops/index.ts";
import { dense } from "./schnet.ts";

export interface PaiNNOptions {
  /** Width F of an atom's scalars and of its vectors. */
  nAtomBasis?: number;
  /** Blocks of message and update; their weights are not shared. */
  nInteractions?: number;
  /** Å: atoms farther apart do not see each other. */
  cutoff?: number;
  /** Functions of the distance. */
  nRbf?: number;
  /** "gaussian": from 0 to the cutoff, as wide as they are apart. "bessel": √(2/c)·sin(nπd/c)/d. */
  basis?: "gaussian" | "bessel";
  /** How atoms add up to a structure's value: "sum" for extensive ones such as an energy, "mean" for others. */
  readout?: "sum" | "mean";
  /** Highest atomic number + 1. */
  maxZ?: number;
}

/** What all blocks see of a pair of neighbours. */
interface Edges {
  graph: Graph;
  /** [edges, 3, 1], unit vectors from receiver to sender. */
  direction: Tensor;
  /** W(d) of a block, for its scalars, its directions and its vectors: each [pairs, F]. */
  filters: Tensor[];
}

/** Å: below it a direction is no longer a unit vector, so that it and its derivatives stay finite for atoms on top of each other. */
const NEAREST = 1e-3;

/** Message: sᵢ ← sᵢ + Σⱼ φs(sⱼ)⊙Ws(dᵢⱼ), vᵢ ← vᵢ + Σⱼ vⱼ⊙φv(sⱼ)⊙Wv(dᵢⱼ) + φd(sⱼ)⊙Wd(dᵢⱼ)·r̂ᵢⱼ. Eq. 7 and 8. */
export class PaiNNInteraction {
  readonly interatomic_context_net: { 0: Linear; 1: Linear };

  constructor(width: number, rng: Rng) {
    this.interatomic_context_net = { 0: dense(width, width, rng), 1: dense(width, 3 * width, rng) };
  }

  /** s [atoms, F], v [atoms, 3, F] (none: all 0) → both after the message. */
  forward(s: Tensor, v: Tensor | undefined, { graph, direction, filters }: Edges): { s: Tensor; v: Tensor } {
    const { nodes, edges, pairs, sender, receivers } = graph;
    const width = s.shape[1];
    const net = this.interatomic_context_net;
    const [scalars, directions, vectors] = chunk(net[1].forward(silu(net[0].forward(s))), { count: 3, axis: 1 });
    // A filter is the same for an edge and its reverse; a direction is not.
    const pull = mul(take(directions, { index: sender }), take(filters[1], { index: pairs.of }));
    let moved = segmentSum(mul(reshape(pull, { shape: [edges, 1, width] }), direction), { adj: receivers });
    if (v) {
      const gated = mul(v, reshape(vectors, { shape: [nodes, 1, width] }));
      const filter = expand(reshape(filters[2], { shape: [pairs.count, 1, width] }), {
        shape: [pairs.count, 3, width],
      });
      const flat = { shape: [nodes, 3 * width] };
      const sent = filteredSum(reshape(gated, flat), reshape(filter, { shape: [pairs.count, 3 * width] }), graph);
      moved = add(add(moved, reshape(sent, { shape: [nodes, 3, width] })), v);
    }
    return { s: add(s, filteredSum(scalars, filters[0], graph)), v: moved };
  }
}

/** Update: an atom's scalars and vectors see each other by ‖Vv‖ and ⟨Uv, Vv⟩: sᵢ ← sᵢ + a_ss + a_sv·⟨Uv, Vv⟩, vᵢ ← vᵢ + a_vv·Uv. Eq. 9 and 10. */
export class PaiNNMixing {
  readonly intraatomic_context_net: { 0: Linear; 1: Linear };
  /** [2F, F]: rows of V, then of U. */
  readonly mu_channel_mix: Linear;

  constructor(width: number, rng: Rng) {
    this.intraatomic_context_net = { 0: dense(2 * width, width, rng), 1: dense(width, 3 * width, rng) };
    this.mu_channel_mix = dense(width, 2 * width, rng, { bias: false });
  }

  /** s [atoms, F], v [atoms, 3, F] → both after the update. */
  forward(s: Tensor, v: Tensor): { s: Tensor; v: Tensor } {
    const [nodes, , width] = v.shape;
    const flat = reshape(v, { shape: [3 * nodes, width] });
    const [vv, uv] = [0, width].map((start) => {
      const weight = slice(this.mu_channel_mix.weight, { axis: 0, start, end: start + width });
      return reshape(matmul(flat, weight, { transposeB: true }), { shape: v.shape });
    });
    const length = sqrt(sum(square(vv), { axes: 1 }).add(1e-8));
    const net = this.intraatomic_context_net;
    const context = net[1].forward(silu(net[0].forward(concat([s, length], { axis: 1 }))));
    const [ss, vectors, sv] = chunk(context, { count: 3, axis: 1 });
    return {
      s: add(add(s, ss), mul(sv, sum(mul(vv, uv), { axes: 1 }))),
      v: add(v, mul(reshape(vectors, { shape: [nodes, 1, width] }), uv)),
    };
  }
}

/**
 * PaiNN: atoms as scalars and vectors that turn with the structure; its energy does not. Schütt, Unke & Gastegger, ICML 2021.
 * 589,057 parameters with width 128, three blocks, 20 radial functions. Names and shapes of the weights follow SchNetPack's
 * representation and output module.
 */
export class PaiNN implements Module<[graph: Graph]> {
  readonly embedding: Embedding;
  /** [3F · nInteractions, nRbf] */
  readonly filter_net: Linear;
  readonly interactions: PaiNNInteraction[];
  readonly mixing: PaiNNMixing[];
  readonly outnet: Linear[];
  private readonly width: number;
  private readonly readout: "sum" | "mean";
  private readonly cutoff: number;
  private readonly radial: (d: Tensor) => Tensor;

  constructor(
    outputs: number,
    rng: Rng,
    {
      nAtomBasis: width = 128,
      nInteractions = 3,
      cutoff = 5,
      nRbf = 20,
      basis = "gaussian",
      readout = "sum",
      maxZ = 100,
    }: PaiNNOptions = {},
  ) {
    this.width = width;
    this.cutoff = cutoff;
    this.readout = readout;
    const gaussians = gaussiansTo(cutoff, nRbf);
    this.radial =
      basis === "bessel" ? (d) => besselBasis(d, { cutoff, count: nRbf }) : (d) => gaussianBasis(d, gaussians);
    this.embedding = new Embedding(maxZ, width, rng);
    this.filter_net = dense(nRbf, 3 * width * nInteractions, rng);
    this.interactions = Array.from({ length: nInteractions }, () => new PaiNNInteraction(width, rng));
    this.mixing = Array.from({ length: nInteractions }, () => new PaiNNMixing(width, rng));
    this.outnet = [dense(width, width >> 1, rng), dense(width >> 1, outputs, rng)];
  }

  /** Scalars [atoms, F], invariant, and vectors [atoms, 3, F], which turn with the structure, after all blocks. */
  features(graph: Graph): { scalars: Tensor; vectors: Tensor } {
    const { pairs, edges, nodes, vector, numbers } = graph;
    const d = distances(take(vector!, { index: pairs.first }));
    const rbf = this.radial(d);
    const cut = reshape(cosineCutoff(d, { cutoff: this.cutoff }), { shape: [pairs.count, 1] });
    const length = reshape(take(clamp(d, { min: NEAREST }), { index: pairs.of }), { shape: [edges, 1] });
    const direction = reshape(div(vector!, length), { shape: [edges, 3, 1] });
    let s = this.embedding.forward(numbers!);
    let v: Tensor | undefined;
    this.interactions.forEach((interaction, block) => {
      const filters = [0, 1, 2].map((part) => mul(this.filter(rbf, 3 * block + part), cut));
      ({ s, v } = interaction.forward(s, v, { graph, direction, filters }));
      ({ s, v } = this.mixing[block].forward(s, v));
    });
    return { scalars: s, vectors: v ?? zeros([nodes, 3, this.width]) };
  }

  /** One F-wide part of the filters [pairs, F]: rows of the weight are cut out, not columns of the much larger product. */
  private filter(rbf: Tensor, part: number): Tensor {
    const { width } = this;
    const { weight, bias } = this.filter_net;
    const rows = { axis: 0, start: part * width, end: (part + 1) * width };
    return linear(rbf, slice(weight, rows), slice(bias!, rows));
  }

  /** What each atom contributes, [atoms, outputs]. */
  atomwise(graph: Graph): Tensor {
    return this.outnet[1].forward(silu(this.outnet[0].forward(this.features(graph).scalars)));
  }

  /** → [structures, outputs] */
  forward(graph: Graph): Tensor {
    const pool = this.readout === "sum" ? segmentSum : segmentMean;
    return pool(this.atomwise(graph), { adj: graph.owners });
  }
}
