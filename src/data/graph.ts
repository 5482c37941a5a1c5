import { Csr } from "../core/csr.ts";
import { UserError } from "../core/errors.ts";
import { emit, emptyIndices, type Indices, type Tensor } from "../core/tensor.ts";
import type { Pairs } from "../ops/index.ts";

/**
 * One graph as plain arrays: what batches are put together from. Edges are sorted by receiver; edge e of receiver i is one of
 * ptr[i] … ptr[i + 1] − 1 and comes from sender[e]. Attributes are row-major.
 */
export interface GraphData {
  readonly nodes: number;
  readonly edges: number;
  /** [nodes + 1] */
  readonly ptr: Int32Array;
  /** [edges] */
  readonly sender: Int32Array;
  /** The edges that each node sends: sent[sentPtr[j]] … sent[sentPtr[j + 1] − 1]. */
  readonly sentPtr: Int32Array;
  readonly sent: Int32Array;
  /** Of nodes [nodes · width], of edges [edges · width], of the whole graph [width]. */
  readonly v?: Float32Array;
  readonly e?: Float32Array;
  readonly u?: Float32Array;
  /** Atomic numbers [nodes]. */
  readonly numbers?: Int32Array;
  /** Å [edges] */
  readonly distance?: Float32Array;
  /** Å [edges · 3]: from receiver to sender, r_sender + image − r_receiver. */
  readonly vector?: Float32Array;
  /** A number for each pair of an edge and its reverse, ascending by their first edges [edges]; left out, each edge is its own. */
  readonly pair?: Int32Array;
}

export type GraphAttributes = Pick<GraphData, "v" | "e" | "u" | "numbers" | "distance" | "vector">;

/**
 * A graph from a list of edges in any order; attributes of edges are given in that order, too.
 *
 * @throws UserError for an edge that ends outside the graph and for attributes that do not divide among nodes or edges
 */
export function graphData(
  nodes: number,
  sender: ArrayLike<number>,
  receiver: ArrayLike<number>,
  attributes: GraphAttributes = {},
): GraphData {
  const edges = sender.length;
  if (receiver.length !== edges)
    throw new UserError(`A graph's edges need two ends: ${edges} senders, ${receiver.length} receivers.`);
  for (let e = 0; e < edges; e++)
    for (const end of [sender[e], receiver[e]])
      if (!(Number.isInteger(end) && end >= 0 && end < nodes))
        throw new UserError(`Edge ${e} of a graph ends at node ${end}; there are the nodes 0 … ${nodes - 1}.`);
  const { ptr, order } = sortByEnd(receiver, nodes);
  const sorted = Int32Array.from(order, (e) => sender[e]);
  const { ptr: sentPtr, order: sent } = sortByEnd(sorted, nodes);
  const { v, e, u, numbers, distance, vector } = attributes;
  widthOf("nodes", v, nodes);
  widthOf("nodes", numbers, nodes);
  const byEdge = (values?: Float32Array): Float32Array | undefined => {
    const width = widthOf("edges", values, edges);
    if (!values) return undefined;
    const out = new Float32Array(values.length);
    order.forEach((from, to) => out.set(values.subarray(from * width, (from + 1) * width), to * width));
    return out;
  };
  const own = { v, e: byEdge(e), u, numbers, distance: byEdge(distance), vector: byEdge(vector) };
  const graph = { nodes, edges, ptr, sender: sorted, sentPtr, sent, ...own };
  return own.vector ? { ...graph, pair: pairsOf(graph) } : graph;
}

/** Counting sort: where each node's entries begin, and the positions in the new order, equal ones as they came. */
export function sortByEnd(end: ArrayLike<number>, nodes: number): { ptr: Int32Array; order: Int32Array } {
  const ptr = new Int32Array(nodes + 1);
  for (let e = 0; e < end.length; e++) ptr[end[e] + 1]++;
  for (let i = 0; i < nodes; i++) ptr[i + 1] += ptr[i];
  const next = ptr.slice(0, nodes);
  const order = new Int32Array(end.length);
  for (let e = 0; e < end.length; e++) order[next[end[e]]++] = e;
  return { ptr, order };
}

function widthOf(what: string, values: ArrayLike<number> | undefined, count: number): number {
  if (!values || count === 0) return 0;
  const width = values.length / count;
  if (!Number.isInteger(width))
    throw new UserError(`${values.length} numbers do not divide among a graph's ${count} ${what}.`);
  return width;
}

/**
 * The pairs of an edge and its reverse, j → i for i → j with the opposite vector: a number for each edge, in the order of the pairs'
 * first edges. Edges without a reverse are pairs of their own.
 */
export function pairsOf({ nodes, edges, ptr, sender, vector }: GraphData): Int32Array {
  const pair = new Int32Array(edges).fill(-1);
  let count = 0;
  for (let i = 0; i < nodes; i++)
    for (let e = ptr[i]; e < ptr[i + 1]; e++) {
      if (pair[e] >= 0) continue;
      pair[e] = count++;
      const [from, to] = [ptr[sender[e]], ptr[sender[e] + 1]];
      for (let r = Math.max(from, e + 1); r < to; r++)
        if (sender[r] === i && pair[r] < 0 && opposite(vector!, e, r)) {
          pair[r] = pair[e];
          break;
        }
    }
  return pair;
}

/** Whether two edges' vectors add up to nothing; images of an atom lie much farther apart than this. */
const opposite = (v: Float32Array, a: number, b: number): boolean =>
  Math.abs(v[3 * a] + v[3 * b]) + Math.abs(v[3 * a + 1] + v[3 * b + 1]) + Math.abs(v[3 * a + 2] + v[3 * b + 2]) < 1e-3;

/** Several graphs side by side as one, in tensors: what graph networks take. No edge joins two of them. */
export class Graph {
  private sharing: Pairs | undefined;

  private constructor(
    private readonly parts: readonly GraphData[],
    /** How many graphs it is made of. */
    readonly count: number,
    readonly nodes: number,
    readonly edges: number,
    /** [edges], ascending. */
    readonly receiver: Indices,
    /** [edges] */
    readonly sender: Indices,
    /** [nodes × edges]: row i holds the edges that node i receives; `segmentSum` over it aggregates messages. */
    readonly receivers: Csr,
    /** [nodes × edges]: row j holds the edges that node j sends. */
    readonly senders: Csr,
    /** [graphs × nodes]: row g holds the nodes of graph g; `segmentMean` over it pools. */
    readonly owners: Csr,
    /** The graph of each node [nodes]. */
    readonly owner: Indices,
    /** Attributes of nodes [nodes, width], of edges [edges, width], of graphs [graphs, width], as far as there are any. */
    readonly v: Tensor | undefined,
    readonly e: Tensor | undefined,
    readonly u: Tensor | undefined,
    /** Atomic numbers [nodes]. */
    readonly numbers: Indices | undefined,
    /** Å [edges] */
    readonly distance: Tensor | undefined,
    /** Å [edges, 3]: from receiver to sender. */
    readonly vector: Tensor | undefined,
  ) {}

  /** Which edges are each other's reverse. Made when it is first asked for, to live as long as the graph. */
  get pairs(): Pairs {
    this.sharing ??= this.share();
    return this.sharing;
  }

  private share(): Pairs {
    const { edges, parts, receiver } = this;
    const of = emptyIndices(edges, receiver);
    let [edge, count] = [0, 0];
    for (const { pair, edges: own } of parts) {
      let most = -1;
      for (let e = 0; e < own; e++) {
        const p = pair ? pair[e] : e;
        if (p > most) most = p;
        of.data[edge + e] = count + p;
      }
      edge += own;
      count += most + 1;
    }
    const first = emptyIndices(count, receiver);
    const ptr = emptyIndices(count + 1, receiver);
    const index = emptyIndices(edges, receiver);
    const [pairOf, firstOf, start, edgeOf] = [of, first, ptr, index].map((i) => i.data);
    start.fill(0);
    for (let e = 0; e < edges; e++) start[pairOf[e] + 1]++;
    for (let p = 0; p < count; p++) start[p + 1] += start[p];
    const next = start.slice(0, count);
    for (let e = 0; e < edges; e++) edgeOf[next[pairOf[e]]++] = e;
    for (let p = 0; p < count; p++) firstOf[p] = edgeOf[start[p]];
    return { count, of, first, edges: new Csr(count, edges, ptr, index) };
  }

  /**
   * Puts graphs side by side; nodes and edges keep their order. Inside a scope its tensors die with it.
   *
   * @throws UserError where attributes differ in width or only some of the graphs have them
   */
  static batch(graphs: readonly GraphData[]): Graph {
    const count = graphs.length;
    const nodes = graphs.reduce((sum, g) => sum + g.nodes, 0);
    const edges = graphs.reduce((sum, g) => sum + g.edges, 0);
    const [receiver, sender] = [emptyIndices(edges), emptyIndices(edges)];
    const [owner, byGraph, graphPtr] = [emptyIndices(nodes), emptyIndices(nodes), emptyIndices(count + 1)];
    const [received, receivedPtr] = [emptyIndices(edges), emptyIndices(nodes + 1)];
    const [sent, sentPtr] = [emptyIndices(edges), emptyIndices(nodes + 1)];
    const to = [receiver, sender, owner, byGraph, graphPtr, received, receivedPtr, sent, sentPtr].map((i) => i.data);
    const [receiverOf, senderOf, ownerOf, nodeOf, nodeStart, edgeOf, edgeStart, sentOf, sentStart] = to;
    let [node, edge] = [0, 0];
    graphs.forEach((g, i) => {
      nodeStart[i] = node;
      for (let k = 0; k < g.nodes; k++) {
        ownerOf[node + k] = i;
        nodeOf[node + k] = node + k;
        edgeStart[node + k] = edge + g.ptr[k];
        sentStart[node + k] = edge + g.sentPtr[k];
        for (let e = g.ptr[k]; e < g.ptr[k + 1]; e++) receiverOf[edge + e] = node + k;
      }
      for (let e = 0; e < g.edges; e++) {
        senderOf[edge + e] = node + g.sender[e];
        sentOf[edge + e] = edge + g.sent[e];
        edgeOf[edge + e] = edge + e;
      }
      node += g.nodes;
      edge += g.edges;
    });
    nodeStart[count] = node;
    edgeStart[node] = sentStart[node] = edge;
    const numbers = joined(graphs, "numbers", (g) => g.nodes);
    return new Graph(
      graphs,
      count,
      nodes,
      edges,
      receiver,
      sender,
      new Csr(nodes, edges, receivedPtr, received),
      new Csr(nodes, edges, sentPtr, sent),
      new Csr(count, nodes, graphPtr, byGraph),
      owner,
      attribute(graphs, "v", (g) => g.nodes),
      attribute(graphs, "e", (g) => g.edges),
      attribute(graphs, "u", () => 1),
      numbers && copyOf(numbers, nodes),
      attribute(graphs, "distance", (g) => g.edges, true),
      attribute(graphs, "vector", (g) => g.edges),
    );
  }
}

type Attribute = keyof GraphAttributes;

/** The arrays of one attribute and their width; undefined where no graph has it. */
function joined(graphs: readonly GraphData[], name: Attribute, rows: (g: GraphData) => number) {
  const having = graphs.filter((g) => g[name]);
  if (having.length === 0) return undefined;
  if (having.length < graphs.length)
    throw new UserError(`Only ${having.length} of ${graphs.length} graphs have "${name}": all or none must.`);
  // A graph without edges says nothing of the width.
  const widths = new Set(graphs.filter((g) => rows(g) > 0).map((g) => g[name]!.length / rows(g)));
  if (widths.size > 1)
    throw new UserError(
      `"${name}" has ${[...widths].join(" and ")} numbers in graphs of one batch: it must be one width.`,
    );
  const width = widths.values().next().value ?? (name === "vector" ? 3 : 1);
  return { parts: graphs.map((g) => g[name]!), width };
}

function attribute(
  graphs: readonly GraphData[],
  name: Attribute,
  rows: (g: GraphData) => number,
  flat = false,
): Tensor | undefined {
  const found = joined(graphs, name, rows);
  if (!found) return undefined;
  const total = graphs.reduce((sum, g) => sum + rows(g), 0);
  return emit(flat ? [total] : [total, found.width], (t) => fill(t.data, found.parts));
}

function copyOf({ parts }: { parts: (Float32Array | Int32Array)[] }, length: number): Indices {
  const out = emptyIndices(length);
  fill(out.data, parts);
  return out;
}

function fill(to: Float32Array | Int32Array, parts: readonly (Float32Array | Int32Array)[]): void {
  let at = 0;
  for (const part of parts) {
    to.set(part, at);
    at += part.length;
  }
}
