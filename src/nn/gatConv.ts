import type { Rng } from "../core/random.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import type { SparseRows } from "../data/sparseRows.ts";
import { add, edgeSum, leakyRelu, mean, mul, reshape, sum, take } from "../ops/index.ts";
import { attentionWeights, weighedSum } from "./aggregate.ts";
import { Dropout } from "./dropout.ts";
import { init } from "./init.ts";
import { Linear } from "./linear.ts";
import type { Training } from "./module.ts";
import { type Neighbours, withSelfLoops } from "./selfLoops.ts";
import { linearRows } from "./sparse.ts";

export interface GatConvOptions {
  heads?: number;
  /** Heads side by side, as in hidden layers, or their mean, as in an output layer. */
  concat?: boolean;
  /** Of the rectifier of the scores, below 0. */
  negativeSlope?: number;
  /** Share of the attention coefficients dropped while training. */
  dropout?: number;
  bias?: boolean;
}

/** Who attends to whom: coefficients of each edge, those of a receiver adding up to 1. */
export interface GatAttention {
  /** [edges, heads], edges sorted by receiver, each node's own last. */
  weights: Tensor;
  edges: Neighbours;
}

/**
 * Graph attention: vᵢ' = Σ αᵢⱼ·W·vⱼ over the neighbours j of i and i itself, α the softmax of LeakyReLU(a_dst·W·vᵢ + a_src·W·vⱼ), for
 * several heads. Veličković et al., ICLR 2018. Names as in PyTorch Geometric.
 */
export class GatConv {
  /** [heads·out, in] */
  readonly lin: Linear;
  /** [1, heads, out] */
  readonly att_src: Tensor;
  readonly att_dst: Tensor;
  readonly bias?: Tensor;
  readonly heads: number;
  private readonly concat: boolean;
  private readonly negativeSlope: number;
  private readonly dropout: Dropout;

  constructor(
    inputs: number,
    private readonly out: number,
    rng: Rng,
    { heads = 1, concat = true, negativeSlope = 0.2, dropout = 0, bias = true }: GatConvOptions = {},
  ) {
    this.heads = heads;
    this.concat = concat;
    this.negativeSlope = negativeSlope;
    this.dropout = new Dropout(dropout);
    this.lin = new Linear(inputs, heads * out, rng, { bias: false });
    this.lin.weight.set(init.xavierUniform([heads * out, inputs], rng).data);
    this.att_src = reshape(init.xavierUniform([heads, out], rng), { shape: [1, heads, out] }).detach();
    this.att_dst = reshape(init.xavierUniform([heads, out], rng), { shape: [1, heads, out] }).detach();
    if (bias) this.bias = zeros([concat ? heads * out : out]);
  }

  /** Numbers of a node afterwards. */
  get width(): number {
    return this.concat ? this.heads * this.out : this.out;
  }

  /** x [nodes, in], dense or sparse → [nodes, heads·out], or [nodes, out] where heads are averaged. */
  forward(x: Tensor | SparseRows, graph: Graph, training?: Training): Tensor {
    const { heads, out } = this;
    const h = this.project(x);
    const { weights, edges } = this.attend(h, graph);
    const messages = take(h, { index: edges.sender });
    const y = weighedSum(messages, this.dropout.forward(weights, training), edges.receivers);
    const joined = this.concat ? reshape(y, { shape: [graph.nodes, heads * out] }) : mean(y, { axes: 1 });
    return this.bias ? add(joined, this.bias) : joined;
  }

  /** The coefficients alone. */
  attention(x: Tensor | SparseRows, graph: Graph): GatAttention {
    return this.attend(this.project(x), graph);
  }

  /** → [nodes, heads, out] */
  private project(x: Tensor | SparseRows): Tensor {
    const rows = linearRows(x, this.lin.weight);
    return reshape(rows, { shape: [rows.shape[0], this.heads, this.out] });
  }

  private attend(h: Tensor, graph: Graph): GatAttention {
    const edges = withSelfLoops(graph);
    const score = (a: Tensor): Tensor => sum(mul(h, a), { axes: -1 });
    const none = zeros([edges.sender.length, this.heads]);
    const scores = edgeSum(score(this.att_dst), score(this.att_src), none, edges);
    return { weights: attentionWeights(leakyRelu(scores, { slope: this.negativeSlope }), edges.receivers), edges };
  }
}
