import { Csr } from "../core/csr.ts";
import { emptyIndices, type Indices } from "../core/tensor.ts";
import { type Graph, sortByEnd } from "../data/graph.ts";
import type { EdgeAttrs } from "../ops/index.ts";

/** A graph's edges, and who receives from whom. */
export interface Neighbours extends EdgeAttrs {
  /** [nodes × nodes]: row i holds the senders of the edges that i receives. */
  adjacency: Csr;
}

const plain = new WeakMap<Graph, Neighbours>();
const looped = new WeakMap<Graph, Neighbours>();

/** The neighbours of each node; made once for a graph, to live as long as it. */
export function neighboursOf(graph: Graph): Neighbours {
  const known = plain.get(graph);
  if (known) return known;
  const { nodes, receiver, sender, receivers, senders } = graph;
  const made = { receiver, sender, receivers, senders, adjacency: new Csr(nodes, nodes, receivers.ptr, sender) };
  plain.set(graph, made);
  return made;
}

/**
 * The neighbours of each node and the node itself, exactly once and last: a loop that the graph has already counts as this one. Made
 * once for a graph, to live as long as it.
 */
export function withSelfLoops(graph: Graph): Neighbours {
  const known = looped.get(graph);
  if (known) return known;
  const { nodes } = graph;
  const [from, start] = [graph.sender.data, graph.receivers.ptr.data];
  const [receiver, sender, ptr]: [number[], number[], number[]] = [[], [], [0]];
  for (let i = 0; i < nodes; i++) {
    for (let e = start[i]; e < start[i + 1]; e++) if (from[e] !== i) sender.push(from[e]);
    sender.push(i);
    while (receiver.length < sender.length) receiver.push(i);
    ptr.push(sender.length);
  }
  const edges = sender.length;
  const { ptr: sentPtr, order } = sortByEnd(sender, nodes);
  const own = (values: ArrayLike<number>): Indices => {
    const made = emptyIndices(values.length, graph.sender);
    made.data.set(values);
    return made;
  };
  const [senders, starts] = [own(sender), own(ptr)];
  const made = {
    receiver: own(receiver),
    sender: senders,
    receivers: new Csr(nodes, edges, starts, own(sender.map((_, e) => e))),
    senders: new Csr(nodes, edges, own(sentPtr), own(order)),
    adjacency: new Csr(nodes, nodes, starts, senders),
  };
  looped.set(graph, made);
  return made;
}
