import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import { EdgeLinear } from "../nn/edgeLinear.ts";
import { cosineCutoff, Embedding, init, Linear, type Module, Sequential } from "../nn/index.ts";
import {
  add,
  clamp,
  concat,
  displacements,
  distances,
  div,
  mul,
  neg,
  reshape,
  segmentMean,
  segmentSum,
  sigmoid,
  silu,
  square,
  sum,
  tanh,
} from "../ops/index.ts";

/** φe(hᵢ, hⱼ, u) = SiLU(W₂·SiLU(W·[hᵢ; hⱼ; u] + b) + b₂): an edge's message from the features at its ends and its own. */
export class EdgeMlp {
  readonly 0: EdgeLinear;
  readonly 2: Linear;

  constructor(width: number, edges: number, rng: Rng) {
    this[0] = new EdgeLinear({ nodes: width, edges }, width, rng);
    this[2] = new Linear(width, width, rng);
  }

  /** h [nodes, width], u [edges, inputs] → [edges, width]. */
  forward(h: Tensor, u: Tensor | undefined, graph: Graph): Tensor {
    return silu(this[2].forward(silu(this[0].forward({ v_r: h, v_s: h, e: u }, graph))));
  }
}

export interface EGclOptions {
  /** Numbers that describe an edge beside its length: aᵢⱼ. */
  edgeInputs?: number;
  /** Each message times σ(w·m + b) of itself. */
  attention?: boolean;
  /** Whether positions change, too; without, the layer is invariant and costs a third less. */
  coordinates?: boolean;
  /** φx ends in a tanh. */
  tanh?: boolean;
  /** Differences are divided by their length + 1. */
  normalize?: boolean;
  /** Positions move along velocities, too, by a factor φv(h). */
  velocity?: boolean;
}

/** What a layer sees beside features and positions. */
export interface EGclInputs {
  /** aᵢⱼ [edges, edgeInputs] */
  attributes?: Tensor;
  /** Weight of each edge [edges, 1]; all 1 where there is none. */
  envelope?: Tensor;
  /** vᵢ [nodes, 3] */
  velocity?: Tensor;
}

/** One step may not move a particle farther along an axis than this, for each of its edges. */
const FARTHEST = 100;

/**
 * Equivariant graph convolution. Satorras, Hoogeboom & Welling, ICML 2021, equations 3–7:
 *
 *   mᵢⱼ = φe(hᵢ, hⱼ, ‖xᵢ − xⱼ‖², aᵢⱼ),   xᵢ ← xᵢ + meanⱼ (xᵢ − xⱼ)·φx(mᵢⱼ) [+ φv(hᵢ)·vᵢ],   hᵢ ← hᵢ + φh(hᵢ, Σⱼ mᵢⱼ)
 */
export class EGcl {
  /** The columns of its first weight are of the receiver, the sender, the squared distance, the attributes. */
  readonly edge_mlp: EdgeMlp;
  readonly node_mlp: Sequential;
  readonly coord_mlp?: Sequential;
  readonly coord_mlp_vel?: Sequential;
  readonly att_mlp?: Sequential;

  constructor(
    width: number,
    rng: Rng,
    private readonly options: EGclOptions = {},
  ) {
    const { edgeInputs = 0, attention, coordinates = true, velocity } = options;
    this.edge_mlp = new EdgeMlp(width, 1 + edgeInputs, rng);
    this.node_mlp = new Sequential(new Linear(2 * width, width, rng), silu, new Linear(width, width, rng));
    if (coordinates) {
      // Steps are tiny at first: large ones would throw particles apart before anything is learned.
      const last = new Linear(width, 1, rng, { bias: false });
      last.weight.set(init.xavierUniform([1, width], rng, 0.001).data);
      this.coord_mlp = new Sequential(new Linear(width, width, rng), silu, last);
    }
    if (velocity) this.coord_mlp_vel = new Sequential(new Linear(width, width, rng), silu, new Linear(width, 1, rng));
    if (attention) this.att_mlp = new Sequential(new Linear(width, 1, rng), sigmoid);
  }

  /**
   * h [nodes, width] and the way x [nodes, 3] that particles have gone from where `graph.vector` sees them (none: they are there)
   * → both after the step. Images of a crystal's atoms move with them.
   */
  forward(
    h: Tensor,
    x: Tensor | undefined,
    graph: Graph,
    { attributes, envelope, velocity }: EGclInputs = {},
  ): { h: Tensor; x: Tensor | undefined } {
    const { receivers: adj } = graph;
    // graph.vector points from receiver to sender: xⱼ − xᵢ.
    const away = x ? add(graph.vector!, displacements(x, graph)) : graph.vector!;
    const d2 = sum(square(away), { axes: 1, keepDim: true });
    let m = this.edge_mlp.forward(h, attributes ? concat([d2, attributes], { axis: 1 }) : d2, graph);
    if (this.att_mlp) m = mul(m, this.att_mlp.forward(m));
    const steps = [x, this.pull(m, away, graph, envelope), this.drift(h, velocity)].filter((t) => t !== undefined);
    if (envelope) m = mul(m, envelope);
    const aggregate = segmentSum(m, { adj });
    return {
      h: add(h, this.node_mlp.forward(concat([h, aggregate], { axis: 1 }))),
      x: steps.length > 0 ? steps.reduce((a, b) => add(a, b)) : undefined,
    };
  }

  /** meanⱼ (xᵢ − xⱼ)·φx(mᵢⱼ). Under an envelope the mean's count is 1 + Σⱼ envelope, so that neighbours come and go smoothly. */
  private pull(m: Tensor, away: Tensor, { receivers: adj }: Graph, envelope?: Tensor): Tensor | undefined {
    if (!this.coord_mlp) return undefined;
    const { tanh: bounded, normalize } = this.options;
    const scale = this.coord_mlp.forward(m);
    let difference = neg(away);
    if (normalize) difference = div(difference, reshape(distances(away), { shape: [adj.cols, 1] }).add(1));
    const step = clamp(mul(difference, bounded ? tanh(scale) : scale), { min: -FARTHEST, max: FARTHEST });
    if (!envelope) return segmentMean(step, { adj });
    return div(segmentSum(mul(step, envelope), { adj }), segmentSum(envelope, { adj }).add(1));
  }

  /** φv(hᵢ)·vᵢ. */
  private drift(h: Tensor, velocity?: Tensor): Tensor | undefined {
    return this.coord_mlp_vel && velocity ? mul(this.coord_mlp_vel.forward(h), velocity) : undefined;
  }
}

export interface EgnnOptions extends Pick<EGclOptions, "attention" | "coordinates" | "tanh" | "normalize"> {
  /** Width of an atom's hidden vector. */
  hidden?: number;
  layers?: number;
  /** Numbers that describe an atom, `graph.v`; by default a vector is learned for each element of `graph.numbers`. */
  inputs?: number;
  /** Å: messages fade out towards this distance, as a cosine, so that energies are smooth where atoms come and go. */
  cutoff?: number;
  /** How the atoms' contributions make the whole. */
  readout?: "sum" | "mean";
  /** Whether two further layers follow after pooling, as in the authors' net for QM9; there is then no contribution of an atom. */
  pooledHead?: boolean;
  /** Highest atomic number + 1. */
  maxZ?: number;
}

/**
 * EGNN for properties of molecules and crystals, energies among them: `EGcl` layers, a two-layer net for each atom, a sum or mean.
 * Everything geometric comes from `graph.vector`, so that forces are its gradient. The authors' net for QM9 is
 * { hidden: 128, layers: 7, inputs: 15, attention: true, pooledHead: true }: 745,224 parameters, named as theirs.
 */
export class Egnn implements Module<[graph: Graph]> {
  readonly embedding: Linear | Embedding;
  readonly gcls: EGcl[];
  readonly node_dec: Sequential;
  readonly graph_dec?: Sequential;

  constructor(
    outputs: number,
    rng: Rng,
    private readonly options: EgnnOptions = {},
  ) {
    const { hidden = 128, layers = 4, inputs, pooledHead, maxZ = 100 } = options;
    const { attention = true, coordinates = false, tanh: bounded, normalize } = options;
    this.embedding = inputs === undefined ? new Embedding(maxZ, hidden, rng) : new Linear(inputs, hidden, rng);
    const layer = { attention, coordinates, tanh: bounded, normalize };
    this.gcls = Array.from({ length: layers }, () => new EGcl(hidden, rng, layer));
    const twoLayers = (out: number): Sequential =>
      new Sequential(new Linear(hidden, hidden, rng), silu, new Linear(hidden, out, rng));
    this.node_dec = twoLayers(pooledHead ? hidden : outputs);
    if (pooledHead) this.graph_dec = twoLayers(outputs);
  }

  /** → [graphs, outputs] */
  forward(graph: Graph): Tensor {
    const { readout = "sum" } = this.options;
    const nodes = this.node_dec.forward(this.features(graph));
    const pooled = (readout === "sum" ? segmentSum : segmentMean)(nodes, { adj: graph.owners });
    return this.graph_dec ? this.graph_dec.forward(pooled) : pooled;
  }

  /** Each atom's contribution [nodes, outputs]. */
  atomwise(graph: Graph): Tensor {
    if (this.graph_dec)
      throw new UserError("Egnn: with a pooled head there is no contribution of an atom.", "Leave out pooledHead.");
    return this.node_dec.forward(this.features(graph));
  }

  /** Hidden vectors of the atoms after all layers [nodes, hidden]. */
  private features(graph: Graph): Tensor {
    const { cutoff } = this.options;
    let h = this.embed(graph);
    let x: Tensor | undefined;
    const envelope =
      cutoff === undefined
        ? undefined
        : reshape(cosineCutoff(distances(graph.vector!), { cutoff }), { shape: [graph.edges, 1] });
    for (const gcl of this.gcls) ({ h, x } = gcl.forward(h, x, graph, { envelope }));
    return h;
  }

  private embed({ v, numbers }: Graph): Tensor {
    if (this.embedding instanceof Embedding) return this.embedding.forward(numbers!);
    return this.embedding.forward(v!);
  }
}
