import { dot, Lattice, type Vector3 } from "../../src/data/lattice.ts";
import type { NeighbourList } from "../../src/data/neighbours.ts";
import { Structure } from "../../src/data/structure.ts";
import { Draw } from "../samples/draw.ts";

export interface Edge {
  i: number;
  j: number;
  image: number[];
  vector: number[];
  distance: number;
}

export function edgesOf({ ptr, index, image, vector, distance }: NeighbourList): Edge[] {
  const edges: Edge[] = [];
  for (let i = 0; i + 1 < ptr.length; i++)
    for (let e = ptr[i]; e < ptr[i + 1]; e++)
      edges.push({
        ...{ i, j: index[e], image: [...image.slice(3 * e, 3 * e + 3)] },
        ...{ vector: [...vector.slice(3 * e, 3 * e + 3)], distance: distance[e] },
      });
  return edges;
}

/** All neighbours, by trying every image whose fractional coordinates allow it. */
export function naive({ length, positions, lattice, periodic }: Structure, cutoff: number): Edge[] {
  const position = (i: number): Vector3 => [positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]];
  const heights = [0, 1, 2].map((c) => (lattice ? 1 / Math.hypot(...lattice.inverse.map((row) => row[c])) : 1));
  const matrix = lattice?.matrix ?? [0, 1, 2].map(() => [0, 0, 0]);
  const edges: Edge[] = [];
  for (let i = 0; i < length; i++) {
    const mine: Edge[] = [];
    for (let j = 0; j < length; j++) {
      const [p, q] = [position(i), position(j)];
      const between: Vector3 = [q[0] - p[0], q[1] - p[1], q[2] - p[2]];
      const f = lattice?.toFractional(between) ?? [0, 0, 0];
      const range = (c: number): number[] => {
        if (!periodic[c]) return [0];
        const low = Math.ceil(-f[c] - cutoff / heights[c] - 1e-6);
        const high = Math.floor(-f[c] + cutoff / heights[c] + 1e-6);
        return Array.from({ length: Math.max(0, high - low + 1) }, (_, k) => low + k);
      };
      for (const a of range(0))
        for (const b of range(1))
          for (const c of range(2)) {
            if (i === j && a === 0 && b === 0 && c === 0) continue;
            const shift = [0, 1, 2].map((k) => a * matrix[0][k] + b * matrix[1][k] + c * matrix[2][k]);
            const vector = [0, 1, 2].map((k) => between[k] + shift[k]) as unknown as Vector3;
            const distance = Math.sqrt(dot(vector, vector));
            if (distance < cutoff) mine.push({ i, j, image: [a + 0, b + 0, c + 0], vector: [...vector], distance });
          }
    }
    edges.push(...ordered(mine));
  }
  return edges;
}

/** By distance; those that follow each other within 1e-8 Å by atom and image. */
function ordered(edges: Edge[]): Edge[] {
  edges.sort((p, q) => p.distance - q.distance);
  let group = 0;
  const groups = edges.map(({ distance }, e) => {
    if (e > 0 && distance - edges[e - 1].distance > 1e-8) group++;
    return group;
  });
  const rank = new Map(edges.map((edge, e) => [edge, groups[e]]));
  return edges.sort(
    (p, q) =>
      rank.get(p)! - rank.get(q)! ||
      p.j - q.j ||
      p.image[0] - q.image[0] ||
      p.image[1] - q.image[1] ||
      p.image[2] - q.image[2],
  );
}

/** The first k edges of each atom, or all up to `shell` Å beyond the k-th. */
export function nearest(edges: readonly Edge[], k: number, shell?: number): Edge[] {
  const byAtom = new Map<number, Edge[]>();
  for (const edge of edges) byAtom.set(edge.i, [...(byAtom.get(edge.i) ?? []), edge]);
  return [...byAtom.values()].flatMap((mine) => {
    if (shell === undefined || mine.length <= k) return mine.slice(0, k);
    const limit = mine.map(({ distance }) => distance).sort((a, b) => a - b)[k - 1] + shell;
    return mine.filter(({ distance }) => distance <= limit);
  });
}

/** NaCl, a = 5.64 Å, `repeat`³ cells of 8 atoms; displaced at random by up to `noise` Å; every third atom `moved` by whole cells. */
export function rocksalt(repeat: number, { noise = 0, moved = false } = {}): Structure {
  const sites = [
    [0, 0, 0],
    [0, 1, 1],
    [1, 0, 1],
    [1, 1, 0],
  ];
  const numbers: number[] = [];
  const fractional: number[] = [];
  for (let cell = 0; cell < repeat ** 3; cell++) {
    const corner = [cell % repeat, Math.floor(cell / repeat) % repeat, Math.floor(cell / repeat ** 2)];
    for (const shift of [0, 1])
      for (const site of sites) {
        const far = moved && numbers.length % 3 === 0 ? [2, -1, 3] : [0, 0, 0];
        numbers.push(shift ? 17 : 11);
        for (let c = 0; c < 3; c++) fractional.push((corner[c] + (site[c] + shift) / 2) / repeat + far[c]);
      }
  }
  const lattice = Lattice.cubic(5.64 * repeat);
  const d = new Draw(1, 3);
  return new Structure({
    ...{ numbers, lattice, source: "NaCl" },
    fractional: fractional.map((f) => f + (noise * (2 * d.random() - 1)) / (5.64 * repeat)),
  });
}
