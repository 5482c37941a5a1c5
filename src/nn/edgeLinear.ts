import { mismatch, UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import { add, edgeSum, matmul, slice, take } from "../ops/index.ts";
import { init } from "./init.ts";

/** Numbers of a node, an edge and a graph. What is left out, or 0, plays no part. */
export interface GraphWidths {
  nodes?: number;
  edges?: number;
  globals?: number;
}

/** What an edge is computed from: its receiver, its sender, itself, and its graph. */
export interface EdgeInputs {
  /** [nodes, width] */
  v_r?: Tensor;
  /** [nodes, width] */
  v_s?: Tensor;
  /** [edges, width] */
  e?: Tensor;
  /** [graphs, width] */
  u?: Tensor;
}

type Part = keyof EdgeInputs;

export interface EdgeLinearOptions {
  /** The order in which the reference implementation concatenates: the weight's columns. */
  order?: readonly Part[];
  bias?: boolean;
}

/**
 * z[e] = W·[v of e's receiver; v of e's sender; e; u of e's graph] + b for every edge, without the concatenation: W is cut in its
 * columns, and what belongs to nodes and graphs is multiplied once for each of them instead of once for each edge.
 * The weight [out, 2·nodes + edges + globals] and the bias [out] are those of a `Linear` over the concatenation.
 */
export class EdgeLinear {
  readonly weight: Tensor;
  readonly bias?: Tensor;
  private readonly columns: ReadonlyMap<Part, { start: number; end: number }>;

  constructor(
    { nodes = 0, edges = 0, globals = 0 }: GraphWidths,
    readonly out: number,
    rng: Rng,
    { order = ["v_r", "v_s", "e", "u"], bias = true }: EdgeLinearOptions = {},
  ) {
    const widths = { v_r: nodes, v_s: nodes, e: edges, u: globals };
    const columns = new Map<Part, { start: number; end: number }>();
    let width = 0;
    for (const part of order) {
      if (widths[part] > 0) columns.set(part, { start: width, end: width + widths[part] });
      width += widths[part];
    }
    if (width === 0) throw new UserError("EdgeLinear: there is nothing to compute an edge from: all widths are 0.");
    this.columns = columns;
    this.weight = init.fanInUniform([out, width], rng);
    if (bias) this.bias = init.fanInUniform([out], rng, width);
  }

  /** → [edges, out] */
  forward(inputs: EdgeInputs, graph: Graph): Tensor {
    const product = (part: Part): Tensor | undefined => {
      const columns = this.columns.get(part);
      const x = inputs[part];
      if (!columns !== !x || (x && columns && x.shape.at(-1) !== columns.end - columns.start))
        throw mismatch(
          `EdgeLinear(→ ${this.out})`,
          x ? [x.shape] : [],
          columns ? `${part} must be [rows, ${columns.end - columns.start}].` : `it was made without ${part}.`,
        );
      return x && columns && matmul(x, slice(this.weight, { axis: 1, ...columns }), { transposeB: true });
    };
    const [r, s, e, u] = [product("v_r"), product("v_s"), product("e"), product("u")];
    const { nodes, edges, owner } = graph;
    // What a graph adds to its edges it adds to their receivers, of which there are fewer.
    let p = r ?? zeros([nodes, this.out]);
    if (u) p = add(p, take(u, { index: owner }));
    if (this.bias) p = add(p, this.bias);
    return edgeSum(p, s ?? zeros([nodes, this.out]), e ?? zeros([edges, this.out]), {
      receiver: graph.receiver,
      sender: graph.sender,
      receivers: graph.receivers,
      senders: graph.senders,
    });
  }
}
