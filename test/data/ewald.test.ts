import { describe, expect, test } from "vitest";
import { COULOMB, ewaldEnergy } from "../../src/data/ewald.ts";
import { Lattice, type Matrix3, times, type Vector3 } from "../../src/data/lattice.ts";
import { PROTOTYPES, type PrototypeName, prototype } from "../../src/data/prototypes.ts";
import { Structure } from "../../src/data/structure.ts";

/** As in the tables: −energy of a formula · distance / e²/4πε₀. */
function madelung(name: PrototypeName, species: string[], charges: number[], distance: number, formulas = 1): number {
  const structure = prototype(name, { species, a: 5 });
  const sites = Object.values<readonly Vector3[]>(PROTOTYPES[name].sites);
  const each = sites.flatMap((places, i) => places.map(() => charges[i]));
  return (-ewaldEnergy(structure, each).energy * 5 * distance) / COULOMB / formulas;
}

/** Of the neutralised simple cubic lattice, its own potential (Wigner's): Nijboer & De Wette, Physica 23, 309 (1957). */
const WIGNER = -2.837297479480619;
/** OEIS A085469 and A181152; for the cell's edge, not for the distance. */
const NACL = 2 * 1.747564594633182;
const CSCL = (2 / Math.sqrt(3)) * 1.7626747730709884;

describe("Madelung constants to 1e-8", () => {
  // For ions of charge 1 and the shortest distance, in units of a: Sakamoto, J. Chem. Phys. 28, 164 (1958); OEIS.
  test.each<[PrototypeName, string[], number[], number, number, number]>([
    ["rocksalt", ["Na", "Cl"], [1, -1], 1 / 2, 1, 1.747564594633182],
    ["CsCl", ["Cs", "Cl"], [1, -1], Math.sqrt(3) / 2, 1, 1.7626747730709884],
    ["zincblende", ["Zn", "S"], [1, -1], Math.sqrt(3) / 4, 1, 1.6380550533887894],
    ["wurtzite", ["Zn", "S"], [1, -1], 0.375 * Math.sqrt(8 / 3), 2, 1.6413216273],
    ["fluorite", ["Ca", "F"], [2, -1], Math.sqrt(3) / 4, 1, 5.0387848797],
    ["antifluorite", ["Li", "O"], [1, -2], Math.sqrt(3) / 4, 1, 5.0387848797],
  ])("%s", (name, species, charges, distance, formulas, tabulated) => {
    expect(Math.abs(madelung(name, species, charges, distance, formulas) - tabulated)).toBeLessThan(1e-8);
  });

  test("zincblende and fluorite are sums of rocksalt and CsCl", () => {
    expect(madelung("zincblende", ["Zn", "S"], [1, -1], 1)).toBeCloseTo(NACL / 2 + CSCL, 11);
    expect(madelung("fluorite", ["Ca", "F"], [2, -1], 1)).toBeCloseTo(NACL + 4 * CSCL, 11);
    expect(madelung("fluorite", ["Zr", "O"], [4, -2], 1)).toBeCloseTo(4 * (NACL + 4 * CSCL), 10);
  });

  test.each([
    [1, 2, -1],
    [2, 4, -2],
    [0, 3, -1],
  ])("perovskite with the charges %i, %i, %i follows from rocksalt, CsCl and Wigner's constant", (a, b, x) => {
    // Of one simple cubic lattice: the potentials at the body's, the faces' and the edges' centres.
    const [body, face, edge] = [WIGNER + CSCL, -NACL / 6, (NACL - 2 * CSCL) / 6];
    const own = ((a * a + b * b + 3 * x * x) / 2) * WIGNER + 3 * x * x * face;
    const expected = -(own + a * b * body + 3 * a * x * face + 3 * b * x * edge);
    expect(madelung("perovskite", ["Sr", "Ti", "O"], [a, b, x], 1)).toBeCloseTo(expected, 10);
  });

  test("potentials are those of the lattice: opposite in rocksalt, and the energy is ½ Σ qφ", () => {
    const { energy, potentials } = ewaldEnergy(prototype("rocksalt", { species: ["Mg", "O"], a: 4.2 }), [2, -2]);
    expect(potentials[0]).toBeCloseTo((-2 * 1.747564594633182 * COULOMB) / 2.1, 9);
    expect(potentials[1]).toBeCloseTo(-potentials[0], 11);
    expect(energy).toBeCloseTo((2 * potentials[0] - 2 * potentials[1]) / 2, 11);
  });
});

/** Seven ions in a cell without symmetry. */
const CHARGES = [2, -1, 1, -2, 1, -2, 1];
const skewed = (positions?: ArrayLike<number>) =>
  new Structure({
    numbers: [12, 9, 11, 8, 19, 16, 3],
    lattice: new Lattice([
      [5.1, 0.3, -0.2],
      [1.9, 6.2, 0.4],
      [-1.1, 2.3, 4.7],
    ]),
    fractional: [
      ...[0.02, 0.11, 0.05, 0.52, 0.48, 0.1, 0.27, 0.83, 0.41, 0.71, 0.15, 0.6],
      ...[0.4, 0.4, 0.77, 0.93, 0.66, 0.31, 0.15, 0.3, 0.6],
    ],
    positions,
  });

describe("a cell without symmetry", () => {
  const { energy, forces } = ewaldEnergy(skewed(), CHARGES);

  test("forces are minus the energy's slope", () => {
    const step = 1e-4;
    for (let k = 0; k < 21; k++) {
      const at = (h: number) => {
        const positions = skewed().positions.slice();
        positions[k] += h;
        return ewaldEnergy(skewed(positions), CHARGES).energy;
      };
      // Of fourth order, so that what is left is rounding.
      const slope = (8 * (at(step) - at(-step)) - at(2 * step) + at(-2 * step)) / (12 * step);
      expect(Math.abs(forces[k] + slope), `coordinate ${k}`).toBeLessThan(1e-8);
    }
    for (const axis of [0, 1, 2]) {
      const sum = CHARGES.reduce((total, _, i) => total + forces[3 * i + axis], 0);
      expect(Math.abs(sum)).toBeLessThan(1e-11);
    }
  });

  test("moving, turning and renumbering the crystal changes nothing", () => {
    const crystal = skewed();
    const moved = crystal.positions.map((x, k) => x + [3.3, -7.1, 0.2][k % 3]);
    expect(ewaldEnergy(skewed(moved), CHARGES).energy).toBeCloseTo(energy, 10);
    // Atoms in other cells.
    const wrapped = Float64Array.from(crystal.fractional, (x, k) => x + ((k * 7) % 5) - 2);
    expect(ewaldEnergy(crystal.with({ fractional: wrapped }), CHARGES).energy).toBeCloseTo(energy, 10);
    const turn: Matrix3 = [
      [0.36, 0.48, -0.8],
      [-0.8, 0.6, 0],
      [0.48, 0.64, 0.6],
    ];
    const [a, b, c] = crystal.lattice!.matrix;
    const turned = crystal.with({
      lattice: new Lattice([times(a, turn), times(b, turn), times(c, turn)]),
      positions: CHARGES.flatMap((_, i) => [...times(crystal.position(i), turn)]),
    });
    const other = ewaldEnergy(turned, CHARGES);
    expect(other.energy).toBeCloseTo(energy, 10);
    expect(times([forces[3], forces[4], forces[5]], turn)[1]).toBeCloseTo(other.forces[4], 10);
    const reverse = CHARGES.map((_, i) => 6 - i);
    const renumbered = new Structure({
      numbers: reverse.map((i) => crystal.numbers[i]),
      positions: reverse.flatMap((i) => [...crystal.position(i)]),
      lattice: crystal.lattice,
    });
    const charges = reverse.map((i) => CHARGES[i]);
    expect(ewaldEnergy(renumbered, charges).energy).toBeCloseTo(energy, 10);
  });

  test.each<[string, Matrix3]>([
    ["a more skewed cell", [[1, 0, 0], [3, 1, 0], [-2, 4, 1]]], // biome-ignore format: a matrix
    ["a left-handed cell", [[0, 1, 0], [1, 0, 0], [0, 0, 1]]], // biome-ignore format: a matrix
    ["a supercell", [[2, 0, 0], [1, 1, 0], [0, 0, 3]]], // biome-ignore format: a matrix
    ["a rod of cells", [[9, 0, 0], [0, 1, 0], [0, 0, 1]]], // biome-ignore format: a matrix
  ])("%s of the same crystal has the same energy per atom", (_, multiple) => {
    const crystal = skewed();
    const rows = multiple.map((row) => times(row, crystal.lattice!.matrix));
    const lattice = new Lattice([rows[0], rows[1], rows[2]]);
    const [numbers, positions, charges]: number[][] = [[], [], []];
    // Every image that lies in the new cell.
    for (let a = -12; a <= 12; a++)
      for (let b = -12; b <= 12; b++)
        for (let c = -12; c <= 12; c++)
          for (let i = 0; i < 7; i++) {
            const shift = crystal.lattice!.toCartesian([a, b, c]);
            const place = crystal.position(i).map((x, k) => x + shift[k]) as [number, number, number];
            // No atom lies on these borders.
            if (lattice.toFractional(place).some((x) => x < -0.0123 || x >= 1 - 0.0123)) continue;
            numbers.push(crystal.numbers[i]);
            positions.push(...place);
            charges.push(CHARGES[i]);
          }
    const many = numbers.length / 7;
    expect(many).toBeCloseTo(lattice.volume / crystal.lattice!.volume, 10);
    const other = ewaldEnergy(new Structure({ numbers, positions, lattice }), charges);
    expect(Math.abs(other.energy / many / energy - 1)).toBeLessThan(1e-11);
  });

  test("a looser tolerance is as wrong as it says", () => {
    const rough = ewaldEnergy(skewed(), CHARGES, { tolerance: 1e-6 }).energy;
    expect(rough).not.toBe(energy);
    expect(Math.abs(rough / energy - 1)).toBeLessThan(1e-6);
    expect(Math.abs(ewaldEnergy(skewed(), CHARGES, { tolerance: 1e-15 }).energy / energy - 1)).toBeLessThan(1e-12);
  });
});

test("what has no energy is refused", () => {
  const salt = prototype("rocksalt", { species: ["Na", "Cl"], a: 5.6 });
  expect(() => ewaldEnergy(salt, [1, -2])).toThrow("the charges of NaCl-rocksalt add up to -1, not to 0");
  expect(() => ewaldEnergy(salt, [1])).toThrow("needs 2 finite charges, one for each atom, not [1]");
  expect(() => ewaldEnergy(salt, [Number.NaN, 0])).toThrow("finite charges");
  expect(() => ewaldEnergy(salt, [1, -1], { tolerance: 2 })).toThrow("the tolerance is 2");
  expect(() => ewaldEnergy(salt.with({ periodic: [true, true, false] }), [1, -1])).toThrow("does not repeat");
  expect(() => ewaldEnergy(new Structure({ numbers: [11, 17], positions: [0, 0, 0, 0, 0, 3] }), [1, -1])).toThrow(
    "does not repeat along three lattice vectors",
  );
  expect(() => ewaldEnergy(salt.with({ positions: [0, 0, 0, 0, 2.8, 2.8] }), [1, -1])).toThrow(
    "NaCl-rocksalt: atoms 1 and 2 are at one place",
  );
});
