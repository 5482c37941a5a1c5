import { Lattice, type Matrix3, times } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { Table } from "../../src/data/table.ts";
import { tinyEnergy } from "../nn/tinyPotential.ts";
import { Draw } from "../samples/draw.ts";

const H = 1e-4;

/** Frames of five-atom molecules, or crystals, with the energies, forces and stresses of the tiny potential in f64. */
export function tinyFrames(count: number, { crystal = false, seed = 1 } = {}): Table {
  const draw = new Draw(seed, 7);
  const numbers = crystal ? [14, 6] : [6, 8, 1, 1, 1];
  const rest = crystal
    ? [0, 0, 0, 1.1, 1.2, 1]
    : [0, 0, 0, 1.3, 0.2, -0.1, -0.6, 0.9, 0.1, -0.5, -0.7, 0.8, 1.8, 0.9, 0.4];
  const structures = Array.from({ length: count }, (_, i) => {
    const jitter = (): number => 0.3 * (draw.random() - 0.5);
    const lattice = crystal
      ? new Lattice([
          [2.2 + jitter(), jitter(), 0],
          [0, 2.3 + jitter(), jitter()],
          [jitter(), 0, 2.4 + jitter()],
        ])
      : undefined;
    const positions = rest.map((x) => x + jitter());
    return labelled(new Structure({ numbers, positions, lattice, source: `tiny.xyz:${7 * i + 1}` }));
  });
  return new Table({
    file: "tiny.xyz",
    ids: structures.map((_, i) => String(i + 1)),
    formulas: undefined,
    structures,
    lines: Int32Array.from(structures, (_, i) => 7 * i + 1),
    numeric: { names: [], values: new Float64Array() },
    categorical: { names: [], values: [] },
    targets: { names: ["energy"], values: Float64Array.from(structures, (s) => s.properties.energy as number) },
    unused: [],
    dropped: [],
  });
}

/** With energy, forces and stress by central differences. */
function labelled(structure: Structure): Structure {
  const { positions, lattice } = structure;
  const forces = positions.map((_, k) => {
    const at = (h: number): number =>
      tinyEnergy(structure.with({ positions: positions.map((x, i) => (i === k ? x + h : x)) }));
    return -(at(H) - at(-H)) / (2 * H);
  });
  const energy = tinyEnergy(structure);
  if (!lattice) return structure.with({ properties: { energy }, arrays: { forces } });
  const stress: number[] = [];
  for (let a = 0; a < 3; a++)
    for (let b = 0; b < 3; b++) {
      const at = (h: number): number => {
        const f = [0, 1, 2].map((i) =>
          [0, 1, 2].map((j) => Number(i === j) + (i === a && j === b ? h / 2 : 0) + (i === b && j === a ? h / 2 : 0)),
        ) as unknown as Matrix3;
        const moved = Array.from({ length: structure.length }, (_, i) => times(structure.position(i), f)).flat();
        const cell = new Lattice(lattice.matrix.map((v) => times(v, f)) as unknown as Matrix3);
        return tinyEnergy(structure.with({ positions: moved, lattice: cell }));
      };
      stress.push((at(H) - at(-H)) / (2 * H * lattice.volume));
    }
  return structure.with({ properties: { energy, stress: stress.join(" ") }, arrays: { forces } });
}
