import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { asTensor, emptyIndices, type Indices, type Tensor, zeros } from "../core/tensor.ts";
import { ELEMENTS } from "../data/elements.ts";
import type { Graph } from "../data/graph.ts";
import {
  Dropout,
  EdgeLinear,
  Embedding,
  edgeOwners,
  init,
  Linear,
  type Module,
  Set2Set,
  type Set2SetOptions,
  type Training,
} from "../nn/index.ts";
import {
  add,
  affine,
  concat,
  div,
  type GaussianBasis,
  gaussianLinear,
  linear,
  maximum,
  segmentCount,
  segmentSum,
  softplus,
  ssp,
  sub,
  sum,
  take,
} from "../ops/index.ts";

export interface MegnetOptions {
  /** The atomic numbers of the embedding's rows, or how many rows there are, by atomic number from 0. */
  elements?: number | readonly number[];
  /** Width of an element's vector. */
  embedding?: number;
  /** Gaussians of the distance, Å. */
  basis?: GaussianBasis;
  /** Width of the state that a whole graph has (`graph.u`), such as a temperature; zeros where the graphs have none. */
  state?: number;
  blocks?: number;
  /** Widths of the layers before each block, and of what it passes on: the last. */
  dense?: readonly number[];
  /** Widths of a block's networks; the last must be that of `dense`. */
  conv?: readonly number[];
  /** Pools the atoms, and the bonds. */
  set2set?: Set2SetOptions;
  /** Widths of the layers between the pooled vector and the output. */
  head?: readonly number[];
  /** Share of the pooled vector dropped while training. */
  dropout?: number;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, z) => z);

/** The authors' networks of 2018: 167,761 parameters. Their Set2Set loses the state of its LSTM's cell, which all their weights rely on. */
export const MEGNET_KERAS = {
  elements: 95,
  embedding: 16,
  basis: { start: 0, step: 5 / 99, count: 100, gamma: 4 },
  state: 2,
  blocks: 3,
  dense: [64, 32],
  conv: [64, 64, 32],
  set2set: { hidden: 16, steps: 3, cellState: "lost" },
  head: [32, 16],
  dropout: 0,
} as const satisfies MegnetOptions;

/** matgl's: a true LSTM, no projection, wider Gaussians, 89 elements. 189,521 parameters. */
export const MEGNET_MATGL = {
  ...MEGNET_KERAS,
  elements: upTo(95).filter((z) => z > 0 && !(z >= 84 && z <= 88)),
  basis: { ...MEGNET_KERAS.basis, gamma: 0.5 },
  set2set: { steps: 2, cellState: "kept" },
} as const satisfies MegnetOptions;

/** What a graph carries from block to block: v [nodes, width], e [edges, width], u [graphs, width]. */
interface State {
  v: Tensor;
  e: Tensor;
  u: Tensor;
}

/** A layer that starts as in Keras: weights by Glorot & Bengio, biases 0. */
function glorot<L extends Linear | EdgeLinear>(layer: L, rng: Rng): L {
  const start = init.xavierUniform(layer.weight.shape, rng);
  layer.weight.set(start.data);
  start.dispose();
  layer.bias!.data.fill(0);
  return layer;
}

const dense = (inputs: number, outputs: number, rng: Rng): Linear => glorot(new Linear(inputs, outputs, rng), rng);

/** Linear layers, each followed by ln(½eˣ + ½), unless it is the last of a `plain` one. Functions count as layers, too: 0, 2, 4 … are linear. */
class Phi<First extends Linear | EdgeLinear = Linear> {
  readonly layers: [first: First, ...(Linear | typeof ssp)[]];

  constructor(first: First, sizes: readonly number[], rng: Rng, { plain = false } = {}) {
    this.layers = [glorot(first, rng)];
    const out = [first.weight.shape[0], ...sizes];
    sizes.forEach((n, i) => {
      this.layers.push(ssp, dense(out[i], n, rng));
    });
    if (!plain) this.layers.push(ssp);
  }

  /** Layers of these widths for rows of `inputs` numbers. */
  static of(inputs: number, [first, ...sizes]: readonly number[], rng: Rng, options?: { plain: boolean }): Phi {
    return new Phi(new Linear(inputs, first, rng), sizes, rng, options);
  }

  forward(this: Phi, x: Tensor): Tensor {
    return this.after(this.layers[0].forward(x));
  }

  /** All that follows the first layer, whose output z is. */
  after(z: Tensor): Tensor {
    let y = z;
    for (let i = 2; i < this.layers.length; i += 2) {
      // W·(softplus(y) − ln 2) + b: the constant goes into the bias, not through all rows.
      const { weight, bias } = this.layers[i] as Linear;
      const shift = affine(sum(weight, { axes: 1 }), { scale: Math.LN2, shift: 0 });
      y = linear(softplus(y), weight, sub(bias!, shift));
    }
    return this.layers.length % 2 === 0 ? ssp(y) : y;
  }
}

/** φe[v_s, v_r, e, u] for each bond, φv[v, mean of what v receives, u] for each atom, φu[u, mean of bonds, mean of atoms] for the whole. */
class MegnetConv {
  readonly edge_func: Phi<EdgeLinear>;
  readonly node_func: Phi;
  readonly state_func: Phi;

  constructor(width: number, sizes: readonly number[], rng: Rng) {
    const inputs = { nodes: width, edges: width, globals: width };
    const first = new EdgeLinear(inputs, sizes[0], rng, { order: ["v_s", "v_r", "e", "u"] });
    this.edge_func = new Phi(first, sizes.slice(1), rng);
    this.node_func = Phi.of(3 * width, sizes, rng);
    this.state_func = Phi.of(3 * width, sizes, rng);
  }

  forward({ v, e, u }: State, graph: Graph): State {
    const { receivers, owners, owner } = graph;
    const bonds = this.edge_func.after(this.edge_func.layers[0].forward({ v_s: v, v_r: v, e, u }, graph));
    const received = segmentSum(bonds, { adj: receivers });
    const degree = segmentCount({ adj: receivers, rank: 2 });
    const atoms = this.node_func.forward(concat([v, mean(received, degree), take(u, { index: owner })], { axis: 1 }));
    const all = (x: Tensor): Tensor => segmentSum(x, { adj: owners });
    const meanBond = mean(all(received), all(degree));
    const meanAtom = mean(all(atoms), segmentCount({ adj: owners, rank: 2 }));
    return { v: atoms, e: bonds, u: this.state_func.forward(concat([u, meanBond, meanAtom], { axis: 1 })) };
  }
}

/** Sums over counts [rows, 1]; 0 where there is nothing to take the mean of, such as the bonds of an isolated atom. */
const mean = (sums: Tensor, counts: Tensor): Tensor => div(sums, maximum(counts, asTensor(1)));

/** Dense layers (not in the first block), then the convolution; what came in is added to what goes out. */
class MegnetBlock {
  readonly edge_func?: Phi;
  readonly node_func?: Phi;
  readonly state_func?: Phi;
  readonly conv: MegnetConv;

  constructor(first: boolean, sizes: readonly number[], conv: readonly number[], rng: Rng) {
    const width = sizes.at(-1)!;
    if (!first) {
      this.edge_func = Phi.of(width, sizes, rng);
      this.node_func = Phi.of(width, sizes, rng);
      this.state_func = Phi.of(width, sizes, rng);
    }
    this.conv = new MegnetConv(width, conv, rng);
  }

  forward({ v, e, u }: State, graph: Graph): State {
    const through = (phi: Phi | undefined, x: Tensor): Tensor => phi?.forward(x) ?? x;
    const dense = {
      v: through(this.node_func, v),
      e: through(this.edge_func, e),
      u: through(this.state_func, u),
    };
    const out = this.conv.forward(dense, graph);
    return { v: add(v, out.v), e: add(e, out.e), u: add(u, out.u) };
  }
}

/**
 * MEGNet: atoms, bonds and the state of the whole crystal, each updated from the others; pooled by Set2Set.
 * Chen, Ye, Zuo, Zheng & Ong, Chem. Mater. 31, 3564 (2019). The default is the authors' network, `MEGNET_MATGL` matgl's, whose names
 * the weights have. An isolated atom has 0 as the mean of its bonds, a crystal without bonds an empty set of them.
 */
export class Megnet implements Module<[graph: Graph]> {
  readonly embedding: Embedding;
  readonly node_encoder: Phi;
  readonly edge_encoder: Phi;
  readonly state_encoder: Phi;
  readonly blocks: MegnetBlock[];
  readonly node_s2s: Set2Set;
  readonly edge_s2s: Set2Set;
  readonly output_proj: Phi;
  /** The embedding's row of each atomic number, −1 for those without. */
  private readonly rows: Int32Array;
  private readonly basis: GaussianBasis;
  private readonly stateWidth: number;
  private readonly dropout: Dropout;

  constructor(outputs: number, rng: Rng, options: MegnetOptions = {}) {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const o: Required<MegnetOptions> = { ...MEGNET_KERAS, ...given };
    const width = o.dense.at(-1)!;
    if (o.conv.at(-1) !== width)
      throw new UserError(`MEGNet: a block must pass on what it takes, ${width} numbers, not ${o.conv.at(-1)}.`);
    this.rows = new Int32Array(ELEMENTS.length + 1).fill(-1);
    const elements = typeof o.elements === "number" ? upTo(o.elements) : o.elements;
    elements.forEach((z, row) => {
      this.rows[z] = row;
    });
    this.basis = o.basis;
    this.stateWidth = o.state;
    this.embedding = new Embedding(elements.length, o.embedding, rng);
    this.node_encoder = Phi.of(o.embedding, o.dense, rng);
    this.edge_encoder = Phi.of(o.basis.count, o.dense, rng);
    this.state_encoder = Phi.of(o.state, o.dense, rng);
    this.blocks = Array.from({ length: o.blocks }, (_, k) => new MegnetBlock(k === 0, o.dense, o.conv, rng));
    this.node_s2s = new Set2Set(width, rng, o.set2set);
    this.edge_s2s = new Set2Set(width, rng, o.set2set);
    this.dropout = new Dropout(o.dropout);
    const pooled = this.node_s2s.width + this.edge_s2s.width + width;
    this.output_proj = Phi.of(pooled, [...o.head, outputs], rng, { plain: true });
  }

  /** Crystals with atomic numbers and distances → [crystals, outputs]. @throws UserError for an element without a vector */
  forward(graph: Graph, training?: Training): Tensor {
    let state: State = {
      v: this.node_encoder.forward(this.embedding.forward(this.rowsOf(graph.numbers!))),
      e: this.bonds(graph),
      u: this.state_encoder.forward(graph.u ?? zeros([graph.count, this.stateWidth])),
    };
    for (const block of this.blocks) state = block.forward(state, graph);
    const { v, e, u } = state;
    const atoms = this.node_s2s.forward(v, graph.owners);
    const bonds = this.edge_s2s.forward(e, edgeOwners(graph));
    return this.output_proj.forward(this.dropout.forward(concat([atoms, bonds, u], { axis: 1 }), training));
  }

  /** The encoder of the bonds, without their Gaussians in memory and once for both directions: d [edges] → [edges, width]. */
  private bonds({ distance, pairs }: Graph): Tensor {
    const { weight, bias } = this.edge_encoder.layers[0];
    const d = take(distance!, { index: pairs.first });
    const e = this.edge_encoder.after(add(gaussianLinear(d, weight, this.basis), bias!));
    return segmentSum(e, { adj: pairs.edges.transposed });
  }

  private rowsOf(numbers: Indices): Indices {
    const rows = emptyIndices(numbers.length);
    numbers.data.forEach((z, i) => {
      rows.data[i] = this.rows[z] ?? -1;
    });
    const unknown = rows.data.indexOf(-1);
    if (unknown < 0) return rows;
    const z = numbers.data[unknown];
    throw new UserError(`MEGNet: this network knows no ${ELEMENTS[z - 1]?.symbol ?? `element ${z}`}.`);
  }
}
