import type { Csr } from "../core/csr.ts";
import { mismatch } from "../core/errors.ts";
import { type Op, op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import { type Shape, sameShape } from "../core/shape.ts";
import type { Indices, Tensor } from "../core/tensor.ts";
import type { EdgeAttrs } from "./message.ts";
import { rowGrain } from "./strides.ts";

/** Edges that share what depends on them alone: an edge and its reverse are equally long, so that a filter of the length is made once. */
export interface Pairs {
  readonly count: number;
  /** The pair of each edge [edges]. */
  readonly of: Indices;
  /** One edge of each pair [pairs]. */
  readonly first: Indices;
  /** [pairs × edges]: row p holds the edges of pair p. */
  readonly edges: Csr;
}

export interface FilterAttrs extends EdgeAttrs {
  pairs: Pairs;
}

/** The same edges the other way round. */
const reversed = ({ receiver, sender, receivers, senders, pairs }: FilterAttrs): FilterAttrs => ({
  ...{ receiver: sender, sender: receiver, receivers: senders, senders: receivers, pairs },
});

function check(call: string, shapes: readonly Shape[], rows: readonly number[], what: string): void {
  const width = shapes[0][1];
  if (!shapes.every((shape, i) => sameShape(shape, [rows[i], width]))) throw mismatch(call, shapes, what);
}

const sizes = ({ receivers, pairs }: FilterAttrs): string =>
  `the graph has ${receivers.rows} nodes and ${pairs.count} pairs, and all rows are of one width.`;

/** Edges that a row has, in floats: how much work it is. */
const grain = ({ entries, rows }: Csr, width: number): number =>
  rowGrain((width * Math.max(1, entries)) / Math.max(1, rows));

/**
 * Continuous-filter convolution: y[i] = Σ x[sender of e] ⊙ f[pair of e] over the edges e that i receives; x [nodes, width],
 * f [pairs, width] → [nodes, width]. Schütt et al., "SchNet", NeurIPS 2017, eq. 2.
 */
export const filteredSum: Op<[x: Tensor, f: Tensor], FilterAttrs> = op("filteredSum", {
  shape(shapes, attrs) {
    check("filteredSum", shapes, [attrs.receivers.rows, attrs.pairs.count], sizes(attrs));
    return shapes[0];
  },
  forward(y, [x, f], { receivers, sender, pairs }) {
    const edges = [receivers.ptr.ptr, receivers.index.ptr, sender.ptr, pairs.of.ptr];
    const width = y.shape[1];
    parallel("filteredSum", receivers.rows, grain(receivers, width), y.ptr, x.ptr, f.ptr, ...edges, width);
  },
  vjp: (g, [x, f], _y, attrs, [wantsX, wantsF]) => [
    wantsX ? filteredSum(g, f, reversed(attrs)) : undefined,
    wantsF ? pairProduct(g, x, attrs) : undefined,
  ],
});

/** y[p] = Σ a[receiver of e] ⊙ b[sender of e] over the edges e of pair p: a, b [nodes, width] → [pairs, width]. */
export const pairProduct: Op<[a: Tensor, b: Tensor], FilterAttrs> = op("pairProduct", {
  shape(shapes, attrs) {
    const { rows } = attrs.receivers;
    check("pairProduct", shapes, [rows, rows], sizes(attrs));
    return [attrs.pairs.count, shapes[0][1]];
  },
  forward(y, [a, b], { receiver, sender, pairs: { count, edges } }) {
    const lists = [edges.ptr.ptr, edges.index.ptr, receiver.ptr, sender.ptr];
    const width = y.shape[1];
    parallel("pairProduct", count, grain(edges, width), y.ptr, a.ptr, b.ptr, ...lists, width);
  },
  vjp: (g, [a, b], _y, attrs, [wantsA, wantsB]) => [
    wantsA ? filteredSum(b, g, attrs) : undefined,
    wantsB ? filteredSum(a, g, reversed(attrs)) : undefined,
  ],
});
