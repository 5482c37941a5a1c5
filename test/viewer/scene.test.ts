import { describe, expect, test } from "vitest";
import { ELEMENTS } from "../../src/data/elements.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { IS_METAL, LOOKS } from "../../src/viewer/palette.ts";
import { cellEdges, formulaOf, kindsOf, describe as say, sceneOf } from "../../src/viewer/scene.ts";
import { CESIUM_CHLORIDE, CESIUM_CHLORIDE_GRAPH, METHANE, ROCKSALT } from "./structures.ts";

test("the viewer's elements are those of the data, with their covalent radii", () => {
  expect(LOOKS.slice(1).map(({ symbol }) => symbol)).toEqual(ELEMENTS.map(({ symbol }) => symbol));
  const radii = ELEMENTS.map(({ covalentRadius }) => (Number.isNaN(covalentRadius) ? 1.5 : covalentRadius / 100));
  expect(LOOKS.slice(1).map(({ radius }) => radius)).toEqual(radii);
  for (const { color } of LOOKS) expect(color).toMatch(/^#[0-9a-f]{6}$/);
  expect([0, 1, 8, 11, 26, 53].map((z) => IS_METAL[z])).toEqual([true, false, false, true, true, false]);
});

describe("atoms", () => {
  test("rocksalt is a cube of 27 atoms with 54 bonds", () => {
    const { balls, sticks, radius, reach, center } = sceneOf(ROCKSALT);
    expect(balls.length).toBe(27);
    expect(new Set(balls.map(({ position }) => position.map((x) => (2 * x) / 5.64).join()))).toHaveProperty("size", 27);
    expect(sticks.length).toBe(54);
    for (const { from, to } of sticks) expect(balls[from].atom < 4).not.toBe(balls[to].atom < 4);
    center.forEach((x) => expect(x).toBeCloseTo(2.82, 12));
    expect(radius).toBeGreaterThan(2.82 * Math.sqrt(3));
    expect(reach).toBe(radius);
  });

  test("an atom anywhere is drawn within the cell, and near a face on both", () => {
    const at = (fractional: number[], periodic: [boolean, boolean, boolean] = [true, true, true]) =>
      sceneOf({ ...CESIUM_CHLORIDE, periodic, numbers: [55], positions: fractional.map((x) => 4.12 * x) })
        .balls.map(({ position }) => position.map((x) => Number((x / 4.12).toFixed(6))))
        .sort();
    expect(at([-0.7, 3.25, 0.5])).toEqual([[0.3, 0.25, 0.5]]);
    expect(at([0.999, 0.5, 0.5])).toEqual([
      [-0.001, 0.5, 0.5],
      [0.999, 0.5, 0.5],
    ]);
    expect(at([1, 0, 0.5])).toEqual([
      [0, 0, 0.5],
      [0, 1, 0.5],
      [1, 0, 0.5],
      [1, 1, 0.5],
    ]);
    expect(at([1.2, 0, 2], [true, true, false])).toEqual([
      [0.2, 0, 2],
      [0.2, 1, 2],
    ]);
  });

  test("a skewed cell has its atoms inside and eight corners", () => {
    const lattice = Lattice.fromParameters(3, 4, 9, 70, 80, 115);
    const structure = new Structure({ lattice, numbers: [22, 8], fractional: [0, 0, 0, 5.3, -2.6, 0.4] });
    const { balls } = sceneOf(structure);
    expect(balls.length).toBe(9);
    const inside = lattice.toFractional(balls[8].position);
    [0.3, 0.4, 0.4].forEach((x, k) => expect(inside[k]).toBeCloseTo(x, 10));
    expect(cellEdges(lattice).length).toBe(12);
  });

  test("shared sites mix colours and name their elements", () => {
    const occupants = [
      { number: 26, occupancy: 0.5 },
      { number: 28, occupancy: 0.5 },
    ];
    const data = { ...CESIUM_CHLORIDE, numbers: [0, 17], disorder: [[0, occupants] as const] };
    const [site] = sceneOf(data).sites;
    expect(site.name).toBe("Fe0.5Ni0.5");
    expect(site.radius).toBe(LOOKS[26].radius);
    const red = (color: string) => Number.parseInt(color.slice(1, 3), 16);
    expect(Math.abs(red(site.color) - (red(LOOKS[26].color) + red(LOOKS[28].color)) / 2)).toBeLessThanOrEqual(0.5);
  });
});

describe("bonds", () => {
  test("methane: four, none between the hydrogens", () => {
    const { sticks, balls } = sceneOf(METHANE);
    expect(sticks.map(({ from, to }) => [balls[from].atom, balls[to].atom])).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [0, 4],
    ]);
  });

  test("metals bond to each other only where they are alone", () => {
    const alloy = sceneOf({ ...CESIUM_CHLORIDE, numbers: [28, 13], positions: [0, 0, 0, 1.44, 1.44, 1.44] });
    expect(alloy.sticks.length).toBe(1);
    const { balls, sticks, sites } = sceneOf(CESIUM_CHLORIDE);
    expect(sticks.length).toBe(8);
    for (const { from, to } of sticks) expect(sites[balls[from].atom].metal).not.toBe(sites[balls[to].atom].metal);
  });

  test("ten thousand atoms: as many bonds as the lattice says", () => {
    const side = 22;
    const positions = Array.from({ length: side ** 3 }, (_, i) =>
      [i % side, Math.floor(i / side) % side, Math.floor(i / side ** 2)].map((n) => 2.5 * n),
    ).flat();
    const numbers = new Array<number>(side ** 3).fill(29);
    const { sticks } = sceneOf({ periodic: [false, false, false], numbers, positions });
    expect(sticks.length).toBe(3 * side ** 2 * (side - 1));
  });
});

describe("edges of a graph", () => {
  test("between drawn atoms once each, beyond the cell to a ghost", () => {
    const { balls, sticks, graph, radius, reach } = sceneOf(CESIUM_CHLORIDE_GRAPH);
    expect(graph).toBe(true);
    // Eight from the centre, four along x between the corners, and one that leaves the cell.
    expect(sticks.filter(({ ghost }) => !ghost).length).toBe(12);
    expect(sticks.filter(({ ghost }) => ghost).length).toBe(1);
    const ghosts = balls.filter(({ ghost }) => ghost);
    expect(ghosts.map(({ atom, position }) => [atom, ...position])).toEqual([[0, -4.12, 0, 0]]);
    expect(reach).toBeGreaterThan(radius);
  });

  test("images are counted from where the data have the atoms, however far", () => {
    const positions = Array.from(CESIUM_CHLORIDE.positions, (x, i) => x + (i < 3 ? 3 * 4.12 : 0));
    const edges = [[1, 0, -3, -3, -3]] as const;
    const { balls, sticks } = sceneOf({ ...CESIUM_CHLORIDE, positions, edges });
    expect(sticks.length).toBe(1);
    balls[sticks[0].to].position.forEach((x) => expect(x).toBeCloseTo(0, 10));
    expect(sticks[0].ghost).toBe(false);
  });
});

test("words: formula, legend, coordinates", () => {
  const scene = sceneOf(ROCKSALT);
  expect(formulaOf(scene)).toBe("NaCl");
  expect(formulaOf(sceneOf(METHANE))).toBe("CH4");
  expect(kindsOf(scene).map(({ name, count }) => [name, count])).toEqual([
    ["Na", 4],
    ["Cl", 4],
  ]);
  const ball = { atom: 1, position: [2.82, -1e-9, -1.41] as const, shift: [0, 0, 0] as const, ghost: false };
  expect(say(scene, ball, ["", "M1"])).toEqual([
    "Na, atom 2: M1",
    "2.820, 0.000, −1.410 Å",
    "fractional 0.5000, 0.0000, −0.2500",
  ]);
});
