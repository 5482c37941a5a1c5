import { mismatch } from "../core/errors.ts";
import { type Op, op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import type { Shape } from "../core/shape.ts";
import { full, type Indices, type Tensor } from "../core/tensor.ts";
import { add, div, mul, neg, recip, sqrt, square, sub, where } from "./elementwise.ts";
import { take } from "./gather.ts";
import { reshape } from "./layout.ts";
import { cross } from "./matmul.ts";
import { norm, sum } from "./reduce.ts";
import { GRAIN } from "./strides.ts";

export interface DisplacementAttrs {
  /** Atoms that the vectors start at [edges]. */
  receiver: Indices;
  /** Atoms that they end at [edges]. */
  sender: Indices;
  /** image · lattice of the sender [edges, 3], Å, where it is seen in another cell. */
  shift?: Tensor;
}

/**
 * From receiver to sender, r_sender + shift − r_receiver: positions [atoms, 3] → [edges, 3], Å. The sign is that of
 * `NeighbourList.vector`.
 */
export function displacements(positions: Tensor, { receiver, sender, shift }: DisplacementAttrs): Tensor {
  checkVectors("displacements", [positions.shape]);
  if (receiver.length !== sender.length)
    throw mismatch("displacements", [positions.shape], `${receiver.length} receivers for ${sender.length} senders.`);
  const vectors = sub(take(positions, { index: sender }), take(positions, { index: receiver }));
  if (shift === undefined) return vectors;
  if (shift.rank !== 2 || shift.shape[0] !== sender.length || shift.shape[1] !== 3)
    throw mismatch("displacements", [positions.shape, shift.shape], `shift must be [${sender.length}, 3].`);
  return add(vectors, shift);
}

/** Lengths of vectors [edges, 3] → [edges]. The gradient of every order is 0 at the vector 0, where there is none. */
export function distances(vectors: Tensor): Tensor {
  checkVectors("distances", [vectors.shape]);
  return norm(vectors, { axes: 1 });
}

/** Cosines of the angles between u and v, [edges, 3] each → [edges]: 0, with gradient 0, where one of them is the vector 0. */
export function cosines(u: Tensor, v: Tensor): Tensor {
  checkVectors("cosines", [u.shape, v.shape]);
  return sum(mul(unit(u), unit(v)), { axes: 1 });
}

/**
 * Angles between u and v, [edges, 3] each → [edges], in 0 … π; exact near both ends, where an arc cosine loses half its digits.
 * Where the vectors are parallel or opposite the angle has a kink, and where one is 0 it has no value: it is then 0 or π, 0, and
 * the gradient of every order is 0.
 */
export const angles: Op<[u: Tensor, v: Tensor]> = op("angles", {
  shape(shapes) {
    checkVectors("angles", shapes);
    return [shapes[0][0]];
  },
  forward: (y, [u, v]) => parallel("angles", y.size, GRAIN, y.ptr, u.ptr, v.ptr),
  vjp(g, [u, v]) {
    // u turns away from v in their plane, at a rate of 1/|u|: along u × n̂ / |u|², n̂ the unit normal; v turns the other way.
    const normal = unit(cross(u, v));
    const scaled = mul(reshape(g, { shape: [g.size, 1] }), normal);
    return [cross(u, mul(scaled, inverseSquare(u))), neg(cross(v, mul(scaled, inverseSquare(v))))];
  },
});

/** Σ x² of each row [n, 1], with 1 in place of 0; and which rows those are not. */
function squares(x: Tensor): { safe: Tensor; square: Tensor } {
  const s = sum(square(x), { axes: 1, keepDim: true });
  return { safe: where(s, s, full([], 1)), square: s };
}

/** x / |x| by rows, 0 at 0: where nothing is chosen, no gradient flows. */
function unit(x: Tensor): Tensor {
  const { safe, square: s } = squares(x);
  return where(s, div(x, sqrt(safe)), full([], 0));
}

/** 1 / |x|² by rows [n, 1], 0 at 0. */
function inverseSquare(x: Tensor): Tensor {
  const { safe, square: s } = squares(x);
  return where(s, recip(safe), full([], 0));
}

function checkVectors(call: string, shapes: readonly Shape[]): void {
  for (const shape of shapes)
    if (shape.length !== 2 || shape[1] !== 3 || shape[0] !== shapes[0][0])
      throw mismatch(call, shapes, "vectors are rows [edges, 3], as many in each.");
}
