import * as ops from "../../src/ops/index.ts";
import * as geometry from "../reference/geometry.ts";
import { build, get, type Nd } from "../reference/nd.ts";
import { type Case, type Draw, toIndices } from "./draw.ts";

const count = (d: Draw): number => (d.large ? 20_000 : d.size());

/** Vectors [n, 3] that are at least 0.5 long. */
const vectors = (d: Draw, n: number): Nd => d.values([n, 3], { away: [0], gap: 0.3 });

/** Vectors near one axis, either way, a different one in each row: those of two axes are far from parallel. */
function along(d: Draw, n: number, axis: number): Nd {
  const noise = d.values([n, 3], { low: -0.4, high: 0.4 });
  return build([n, 3], ([e, c]) => Math.fround(get(noise, [e, c]) + (c === (axis + e) % 3 ? (e % 2 ? -1.5 : 1.5) : 0)));
}

export const GEOMETRY = {
  displacements: [true, false].map(
    (shifted): Case => ({
      linear: "jointly",
      draw(d) {
        const n = count(d);
        const edges = n === 0 ? 0 : d.int(0, d.large ? 3 * n : 40);
        const [receiver, sender] = [d.index(edges, n), d.index(edges, n)];
        const shift = d.values([edges, 3]);
        return {
          attrs: { receiver: receiver.slice(0, 20), sender: sender.slice(0, 20) },
          inputs: [d.values([n, 3]), ...(shifted ? [shift] : [])],
          run: ([x, s]) =>
            ops.displacements(x, { receiver: toIndices(receiver), sender: toIndices(sender), ...(s && { shift: s }) }),
          reference: ([x, s]) => geometry.displacements(x, receiver, sender, s),
        };
      },
    }),
  ),
  distances: [
    {
      draw: (d) => ({
        inputs: [vectors(d, count(d))],
        run: ([x]) => ops.distances(x),
        reference: ([x]) => geometry.distances(x),
      }),
    },
  ],
  cosines: [
    {
      draw(d) {
        const n = count(d);
        return {
          inputs: [vectors(d, n), vectors(d, n)],
          run: ([u, v]) => ops.cosines(u, v),
          reference: ([u, v]) => geometry.cosines(u, v),
        };
      },
    },
  ],
  angles: [
    {
      draw(d) {
        const n = count(d);
        const axis = d.int(0, 2);
        return {
          inputs: [along(d, n, axis), along(d, n, axis + d.int(1, 2))],
          run: ([u, v]) => ops.angles(u, v),
          reference: ([u, v]) => geometry.angles(u, v),
        };
      },
    },
  ],
} satisfies Record<string, Case[]>;
