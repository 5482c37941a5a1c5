import { mismatch } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import { Linear, type Module, Sequential } from "../nn/index.ts";
import { add, concat, norm, reshape, segmentSum, silu, slice, square, sum } from "../ops/index.ts";
import { EdgeMlp, EGcl } from "./egnn.ts";

export interface NBodyNetOptions {
  /** Width of a particle's hidden vector. */
  hidden?: number;
  layers?: number;
}

/** graph.v [particles, 6] as positions and velocities, [particles, 3] each. */
function motion({ v }: Graph): { position: Tensor; velocity: Tensor } {
  if (v?.shape[1] !== 6)
    throw mismatch("N-body net", [v?.shape ?? []], "graph.v must hold position and velocity, [particles, 6].");
  return { position: slice(v, { axis: 1, start: 0, end: 3 }), velocity: slice(v, { axis: 1, start: 3, end: 6 }) };
}

/** [particles, 3] → [systems, 3 · particles of one]: a row for each system. */
function bySystem(positions: Tensor, { count, nodes }: Graph): Tensor {
  if (nodes % count !== 0)
    throw mismatch("N-body net", [positions.shape], `${count} systems of equally many particles are needed.`);
  return reshape(positions, { shape: [count, (3 * nodes) / count] });
}

/**
 * Where charged particles will be: EGNN of positions, velocities and products of charges, equivariant under rotations, reflections
 * and translations. Satorras, Hoogeboom & Welling, ICML 2021, section 5.1. 134,020 parameters with the defaults, named as the authors'.
 */
export class EgnnVel implements Module<[graph: Graph]> {
  readonly embedding: Linear;
  readonly gcls: EGcl[];

  constructor(rng: Rng, { hidden = 64, layers = 4 }: NBodyNetOptions = {}) {
    this.embedding = new Linear(1, hidden, rng);
    this.gcls = Array.from({ length: layers }, () => new EGcl(hidden, rng, { edgeInputs: 2, velocity: true }));
  }

  /** graph.v [particles, 6] positions and velocities, graph.e [edges, 1] products of charges → positions [systems, 3 · particles]. */
  forward(graph: Graph): Tensor {
    const { position, velocity } = motion(graph);
    let h = this.embedding.forward(norm(velocity, { axes: 1, keepDim: true }));
    const attributes = concat([graph.e!, sum(square(graph.vector!), { axes: 1, keepDim: true })], { axis: 1 });
    let x: Tensor | undefined;
    for (const gcl of this.gcls) ({ h, x } = gcl.forward(h, x, graph, { attributes, velocity }));
    return bySystem(x ? add(position, x) : position, graph);
  }
}

/** Graph convolution without geometry: mᵢⱼ = φe(hᵢ, hⱼ, aᵢⱼ), hᵢ ← hᵢ + φh(hᵢ, Σⱼ mᵢⱼ). */
export class Gcl {
  readonly edge_mlp: EdgeMlp;
  readonly node_mlp: Sequential;

  constructor(width: number, edgeInputs: number, rng: Rng) {
    this.edge_mlp = new EdgeMlp(width, edgeInputs, rng);
    this.node_mlp = new Sequential(new Linear(2 * width, width, rng), silu, new Linear(width, width, rng));
  }

  /** h [nodes, width], attributes [edges, edgeInputs] → [nodes, width]. */
  forward(h: Tensor, attributes: Tensor, graph: Graph): Tensor {
    const aggregate = segmentSum(this.edge_mlp.forward(h, attributes, graph), { adj: graph.receivers });
    return add(h, this.node_mlp.forward(concat([h, aggregate], { axis: 1 })));
  }
}

/**
 * What EGNN is compared with: message passing whose features are the coordinates themselves, so that it must learn from examples
 * that turning a system turns its future. 104,387 parameters with the defaults.
 */
export class NBodyGnn implements Module<[graph: Graph]> {
  readonly embedding: Sequential;
  readonly gcls: Gcl[];
  readonly decoder: Sequential;

  constructor(rng: Rng, { hidden = 64, layers = 4 }: NBodyNetOptions = {}) {
    this.embedding = new Sequential(new Linear(6, hidden, rng));
    this.gcls = Array.from({ length: layers }, () => new Gcl(hidden, 1, rng));
    this.decoder = new Sequential(new Linear(hidden, hidden, rng), silu, new Linear(hidden, 3, rng));
  }

  /** As `EgnnVel`. */
  forward(graph: Graph): Tensor {
    const { position, velocity } = motion(graph);
    let h = this.embedding.forward(concat([position, velocity], { axis: 1 }));
    for (const gcl of this.gcls) h = gcl.forward(h, graph.e!, graph);
    return bySystem(this.decoder.forward(h), graph);
  }
}
