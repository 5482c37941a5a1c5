import { Csr } from "../core/csr.ts";
import { emptyIndices, type Tensor } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import { concat, take } from "../ops/index.ts";
import { type Aggregation, aggregate } from "./aggregate.ts";
import type { EdgeLinear } from "./edgeLinear.ts";
import type { Module, Training } from "./module.ts";

/** Attributes of nodes [nodes, …], edges [edges, …] and graphs [graphs, …], as far as there are any. */
export interface GraphState {
  v?: Tensor;
  e?: Tensor;
  u?: Tensor;
}

/** How many become one: by name, or something with weights of its own (`AttentionAggregation`). */
export type Arrow = Aggregation | { forward(messages: Tensor, adj: Csr): Tensor };

/** The networks of a block, on rows. What has none stays as it is. */
export interface GraphNetParts {
  /** Of [v of the receiver; v of the sender; e; u]. With an `EdgeLinear` in front the concatenation is never made. */
  edges?: Module | readonly [EdgeLinear, ...Module[]];
  /** Of [what its edges send; v; u]. */
  nodes?: Module;
  /** Of [its edges as one; its nodes as one; u]. */
  globals?: Module;
}

export interface GraphNetArrows {
  edgesToNodes?: Arrow;
  edgesToGlobals?: Arrow;
  nodesToGlobals?: Arrow;
}

/** The edges of each graph: [graphs × edges]. */
export function edgeOwners({ count, edges, owners, receivers }: Graph): Csr {
  const [ptr, index] = [emptyIndices(count + 1), emptyIndices(edges)];
  const [start, edge, firstNode, firstEdge] = [ptr, index, owners.ptr, receivers.ptr].map((i) => i.data);
  for (let g = 0; g <= count; g++) start[g] = firstEdge[firstNode[g]];
  for (let e = 0; e < edges; e++) edge[e] = e;
  return new Csr(count, edges, ptr, index);
}

/**
 * A block of message passing in its general form: e' = φe(v_r, v_s, e, u), v' = φv(Σ e', v, u), u' = φu(Σ e', Σ v', u), with an
 * aggregation of one's choice for each Σ. Nodes, edges and graphs take part as far as they have attributes.
 * Battaglia et al., arXiv:1806.01261 (2018), algorithm 1.
 */
export class GraphNet {
  readonly edges?: Module | readonly [EdgeLinear, ...Module[]];
  readonly nodes?: Module;
  readonly globals?: Module;
  readonly arrows: Readonly<Required<GraphNetArrows>>;

  constructor(
    { edges, nodes, globals }: GraphNetParts,
    { edgesToNodes = "sum", edgesToGlobals = "mean", nodesToGlobals = "mean" }: GraphNetArrows = {},
  ) {
    this.edges = edges;
    this.nodes = nodes;
    this.globals = globals;
    this.arrows = { edgesToNodes, edgesToGlobals, nodesToGlobals };
  }

  forward({ v, e, u }: GraphState, graph: Graph, training?: Training): GraphState {
    const { edgesToNodes, edgesToGlobals, nodesToGlobals } = this.arrows;
    if (this.edges) e = this.updateEdges({ v, e, u }, graph, training);
    if (this.nodes) {
      const received = e && through(edgesToNodes, e, graph.receivers);
      v = this.nodes.forward(joined([received, v, u && take(u, { index: graph.owner })]), training);
    }
    if (this.globals) {
      const ofEdges = e && through(edgesToGlobals, e, edgeOwners(graph));
      const ofNodes = v && through(nodesToGlobals, v, graph.owners);
      u = this.globals.forward(joined([ofEdges, ofNodes, u]), training);
    }
    return { v, e, u };
  }

  private updateEdges({ v, e, u }: GraphState, graph: Graph, training?: Training): Tensor {
    const { edges } = this;
    if (isCut(edges)) {
      const [first, ...rest] = edges;
      return rest.reduce((x, f) => f.forward(x, training), first.forward({ v_r: v, v_s: v, e, u }, graph));
    }
    const { receiver, sender, owner } = graph;
    const ofGraph = u && take(take(u, { index: owner }), { index: receiver });
    const ends = v ? [take(v, { index: receiver }), take(v, { index: sender })] : [];
    return edges!.forward(joined([...ends, e, ofGraph]), training);
  }
}

const isCut = (edges: GraphNet["edges"]): edges is readonly [EdgeLinear, ...Module[]] => Array.isArray(edges);

const through = (arrow: Arrow, x: Tensor, adj: Csr): Tensor =>
  typeof arrow === "string" ? aggregate(x, adj, arrow) : arrow.forward(x, adj);

const joined = (parts: readonly (Tensor | undefined)[]): Tensor =>
  concat(
    parts.filter((part) => part !== undefined),
    { axis: 1 },
  );
