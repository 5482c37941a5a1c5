import { noGrad } from "../../core/op.ts";
import { scope } from "../../core/tensor.ts";
import { Graph, type GraphData, graphData } from "../../data/graph.ts";
import { AGGREGATIONS, type Aggregation, aggregate } from "../../nn/index.ts";
import { add, affine, take } from "../../ops/index.ts";
import { type Drawing, neighboursOf } from "./drawing.ts";
import { STEPS, type Update } from "./options.ts";

export interface Passing {
  /** The edges both ways, sorted by receiver. */
  readonly sender: Int32Array;
  readonly receiver: Int32Array;
  /** [steps + 1][nodes]: each node's number before the first step and after each. */
  readonly values: readonly Float32Array[];
  /** [steps][nodes]: what each node's messages became. */
  readonly aggregates: readonly Float32Array[];
  /** [steps + 1]: standard deviation of the nodes' numbers. */
  readonly spread: readonly number[];
  /** Edges between two nodes [nodes · nodes]; −1 where there is no way. */
  readonly hops: Int32Array;
}

/** A drawing as the library's graph, with attributes of its nodes. */
export function graphOf({ nodes, edges }: Pick<Drawing, "nodes" | "edges">, v: Float32Array): GraphData {
  const [from, to] = [0, 1].map((end) => edges.map((edge) => edge[end]));
  return graphData(nodes.length, [...from, ...to], [...to, ...from], { v });
}

/** Of a drawing without nodes. */
const NOTHING: Passing = {
  ...{ sender: new Int32Array(), receiver: new Int32Array(), hops: new Int32Array() },
  values: Array.from({ length: STEPS + 1 }, () => new Float32Array()),
  aggregates: Array.from({ length: STEPS }, () => new Float32Array()),
  spread: Array.from({ length: STEPS + 1 }, () => 0),
};

/** Message passing with one number for each node: every step gathers the neighbours' numbers, aggregates and updates. */
export function pass(request: { drawing: Drawing; aggregation: Aggregation; update: Update }): Passing {
  const { drawing, aggregation, update } = request;
  const n = drawing.nodes.length;
  if (n === 0) return NOTHING;
  return noGrad(() =>
    scope(() => {
      const graph = Graph.batch([
        graphOf(
          drawing,
          Float32Array.from(drawing.nodes, ({ value }) => value),
        ),
      ]);
      const { sender, receiver, receivers } = graph;
      const values: Float32Array[] = [];
      const aggregates: Float32Array[] = [];
      let v = graph.v!;
      for (let step = 0; step < STEPS; step++) {
        const received = aggregate(take(v, { index: sender }), receivers, aggregation);
        values.push(v.toArray());
        aggregates.push(received.toArray());
        const sum = add(v, received);
        v = update === "replace" ? received : update === "add" ? sum : affine(sum, { scale: 0.5, shift: 0 });
      }
      values.push(v.toArray());
      return {
        ...{ sender: sender.toArray(), receiver: receiver.toArray(), values, aggregates },
        spread: values.map(deviation),
        hops: hopsOf(drawing),
      };
    }, "passing"),
  );
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
}

/** Breadth-first search from every node. */
export function hopsOf(drawing: Drawing): Int32Array {
  const n = drawing.nodes.length;
  const neighbours = neighboursOf(drawing);
  const hops = new Int32Array(n * n).fill(-1);
  for (let from = 0; from < n; from++) {
    hops[from * n + from] = 0;
    const queue = [from];
    for (const i of queue)
      for (const j of neighbours[i])
        if (hops[from * n + j] < 0) {
          hops[from * n + j] = hops[from * n + i] + 1;
          queue.push(j);
        }
  }
  return hops;
}

/** What each aggregation makes of neighbourhoods: for each kind, a number for each of them. */
export function pool(neighbourhoods: readonly (readonly number[])[]): Record<Aggregation, number[]> {
  return noGrad(() =>
    scope(() => {
      // Node 0 of each graph receives from all others.
      const graph = Graph.batch(
        neighbourhoods.map((values) =>
          graphData(
            values.length + 1,
            values.map((_, i) => i + 1),
            values.map(() => 0),
            { v: Float32Array.of(0, ...values) },
          ),
        ),
      );
      const messages = take(graph.v!, { index: graph.sender });
      const middle = graph.owners.ptr.toArray();
      const kinds = AGGREGATIONS.map((kind) => {
        const all = aggregate(messages, graph.receivers, kind).toArray();
        return [kind, neighbourhoods.map((_, i) => all[middle[i]])];
      });
      return Object.fromEntries(kinds);
    }, "pool"),
  );
}
