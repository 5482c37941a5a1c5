import { cosPi, sinPi } from "../../core/portable.ts";
import { FIELD } from "./drawing.ts";
import { hopsOf } from "./passing.ts";

const SWEEPS = 200;

/**
 * Places for nodes, so that distances on the field are as near as can be to numbers of bonds: stress majorisation, each node in turn
 * moved to where the others want it. Gansner, Koren & North, Graph Drawing 2004.
 */
export function layout(nodes: number, edges: readonly (readonly [number, number])[]): { x: number; y: number }[] {
  const plain = { nodes: Array.from({ length: nodes }, () => ({ x: 0, y: 0, symbol: "C" as const, value: 0 })), edges };
  const hops = hopsOf(plain);
  const apart = hops.reduce((most, d) => Math.max(most, d), 1) + 1;
  const distance = (i: number, j: number): number => (hops[i * nodes + j] < 0 ? apart : hops[i * nodes + j]);
  const at = Array.from({ length: nodes }, (_, i) => {
    // Not on a circle: its mirror symmetry would keep a path curled up.
    const [angle, radius] = [(2 * i) / nodes, 1 + i / nodes];
    return { x: radius * cosPi(angle), y: radius * sinPi(angle) };
  });
  for (let sweep = 0; sweep < SWEEPS; sweep++)
    for (let i = 0; i < nodes; i++) {
      let [x, y, weight] = [0, 0, 0];
      for (let j = 0; j < nodes; j++) {
        if (j === i) continue;
        const d = distance(i, j);
        const w = 1 / (d * d);
        const [dx, dy] = [at[i].x - at[j].x, at[i].y - at[j].y];
        const r = Math.sqrt(dx * dx + dy * dy) || 1e-6;
        x += w * (at[j].x + (d * dx) / r);
        y += w * (at[j].y + (d * dy) / r);
        weight += w;
      }
      if (weight > 0) at[i] = { x: x / weight, y: y / weight };
    }
  return fitted(at);
}

/** Turned so that the longer way is along the field, and scaled into it. */
function fitted(at: readonly { x: number; y: number }[]): { x: number; y: number }[] {
  const [cx, cy] = [mean(at.map(({ x }) => x)), mean(at.map(({ y }) => y))];
  const centred = at.map(({ x, y }) => ({ x: x - cx, y: y - cy }));
  const moment = (f: (p: { x: number; y: number }) => number): number => centred.reduce((sum, p) => sum + f(p), 0);
  const angle =
    0.5 *
    Math.atan2(
      2 * moment(({ x, y }) => x * y),
      moment(({ x, y }) => x * x - y * y),
    );
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const turned = centred.map(({ x, y }) => ({ x: c * x + s * y, y: c * y - s * x }));
  const reach = (values: number[]): number => Math.max(1e-6, ...values.map(Math.abs));
  const scale = Math.min(
    (FIELD.width / 2 - FIELD.margin) / reach(turned.map(({ x }) => x)),
    (FIELD.height / 2 - FIELD.margin) / reach(turned.map(({ y }) => y)),
    95,
  );
  return turned.map(({ x, y }) => ({
    x: Math.round(FIELD.width / 2 + scale * x),
    y: Math.round(FIELD.height / 2 + scale * y),
  }));
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / (values.length || 1);
