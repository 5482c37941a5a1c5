import { beforeAll, describe, expect, test } from "vitest";
import { readCrystals } from "../../src/data/crystals.ts";
import { parseExtxyz } from "../../src/data/extxyz.ts";
import type { Graph } from "../../src/data/graph.ts";
import { readRecords, writeRecord } from "../../src/data/potentialDataset.ts";
import { PotentialFeaturiser } from "../../src/data/potentialFeaturiser.ts";
import { forcesIn, virialIn } from "../../src/data/potentialLabels.ts";
import { fitReferences, referenceEnergy } from "../../src/data/referenceEnergies.ts";
import { Structure } from "../../src/data/structure.ts";
import { init } from "../../src/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

/** Two molecules with energies and forces. */
const TEXT = `3
Properties=species:S:1:pos:R:3:forces:R:3 energy=-2080.5 pbc="F F F"
O 0 0 0 0.1 0.2 0.3
H 0.9 0 0 -0.1 0 0
H -0.3 0.9 0 0 -0.2 -0.3
2
Properties=species:S:1:pos:R:3:forces:R:3 energy=-31.25 pbc="F F F"
H 0 0 0 0 0 1
H 0 0 0.8 0 0 -1
`;
const table = (text = TEXT, target = "energy") =>
  readCrystals(new TextEncoder().encode(text), { file: "a.xyz", target, task: "regression" });
const SPEC = { cutoff: 3, forces: "forces" };

describe("records", () => {
  test("stand behind each other and are read back", () => {
    const records = [
      { atoms: 2, volume: 10, energy: -1.5, forces: [1, 2, 3, 4, 5, 6], virial: [6, 5, 4, 3, 2, 1] },
      { atoms: 1, volume: 20, energy: 2.5, forces: [7, 8, 9], virial: [0, 0, 0, 0, 0, 1] },
    ];
    const flat = Float32Array.from(records.flatMap((record) => [...writeRecord(record)]));
    const read = readRecords(flat, { forces: true, stress: true });
    expect(read.map((r) => ({ ...r, forces: [...r.forces], virial: [...r.virial] }))).toEqual(records);
    const bare = writeRecord({ ...records[0], forces: [], virial: [] });
    expect(readRecords(bare, { forces: false, stress: false })).toMatchObject([{ atoms: 2, volume: 10, energy: -1.5 }]);
  });
});

describe("the data set", () => {
  test("holds graphs of all neighbours and what energies leave beside the elements'", async () => {
    const rows = await table();
    const featuriser = PotentialFeaturiser.fit(SPEC, rows);
    expect(featuriser.elements).toEqual(["H", "O"]);
    const data = featuriser.dataset(rows);
    expect(data.graphs.map(({ nodes, edges }) => [nodes, edges])).toEqual([
      [3, 6],
      [2, 2],
    ]);
    const { inputs, targets } = data.batch(Int32Array.of(1, 0));
    expect((inputs[0] as Graph).nodes).toBe(5);
    const [second, first] = readRecords(targets, { forces: true, stress: false });
    expect([...second.forces]).toEqual([0, 0, 1, 0, 0, -1]);
    expect(first.forces[2]).toBeCloseTo(0.3, 6);
    // Two compositions and two elements: nothing is left.
    for (const { energy } of [first, second]) expect(Math.abs(energy)).toBeLessThan(1e-4);
    expect(featuriser.reference(rows.structures![0])).toBeCloseTo(-2080.5, 4);
  });

  test("keeps the digits of energies of thousands of eV", () => {
    const water = (energy: number) => ({ numbers: [8, 1, 1], energy });
    const frames = [water(-2080.000123), water(-2080.000456), water(-2079.999421)];
    const structures = frames.map(
      ({ numbers }) => new Structure({ numbers, positions: [0, 0, 0, 0.9, 0, 0, -0.3, 0.9, 0] }),
    );
    const references = fitReferences(
      structures,
      frames.map(({ energy }) => energy),
    );
    const left = frames.map(({ energy, numbers }) => Math.fround(energy - referenceEnergy(numbers, references)));
    expect(left[0] - left[1]).toBeCloseTo(0.000333, 8);
    expect(left.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 6);
  });

  test("is without targets where there are none, and the same graphs come from its JSON", async () => {
    const rows = await table();
    const featuriser = PotentialFeaturiser.fit(SPEC, rows);
    const again = PotentialFeaturiser.fromJSON(JSON.parse(JSON.stringify(featuriser.toJSON())));
    expect(again.hash).toBe(featuriser.hash);
    const data = again.dataset({ ...rows, length: rows.length, targets: undefined });
    expect([data.y.length, data.batch(Int32Array.of(0)).targets.length]).toEqual([0, 0]);
    expect(data.graphs).toEqual(featuriser.dataset(rows).graphs);
    expect(() => PotentialFeaturiser.fromJSON({ version: 2, kind: "potential" })).toThrow(/newer version/);
  });
});

describe("reference energies", () => {
  const frame = (numbers: number[]): Structure =>
    new Structure({ numbers, positions: numbers.flatMap((_, i) => [2 * i, 0, 0]) });
  test("are those that made the energies", () => {
    const truth = new Map([
      [1, -13.6],
      [6, -1030.1],
      [8, -2041.7],
    ]);
    const structures = [
      [1, 1, 8],
      [6, 1, 1, 1, 1],
      [6, 8, 8],
      [6, 8, 1, 1],
    ].map(frame);
    const fitted = fitReferences(
      structures,
      structures.map(({ numbers }) => referenceEnergy(numbers, truth)),
    );
    for (const [z, energy] of truth) expect(fitted.get(z)).toBeCloseTo(energy, 4);
  });

  test("share alike what compositions do not tell apart", () => {
    const fitted = fitReferences([frame([6, 8, 1, 1]), frame([1, 6, 1, 8])], [-40, -44]);
    for (const energy of fitted.values()) expect(energy).toBeCloseTo(-10.5, 6);
  });

  test("of free atoms get the mean energy of binding", () => {
    const free = new Map([
      [1, -13],
      [8, -2040],
    ]);
    const fitted = fitReferences([frame([1, 1, 8])], [-2066 - 9], free);
    expect([...fitted]).toEqual([
      [1, -16],
      [8, -2043],
    ]);
    expect(() => fitReferences([frame([6, 1])], [0], free)).toThrow(/no isolated atom of C; the structures hold H, C/);
  });
});

describe("stress", () => {
  const crystal = (line: string): Structure =>
    parseExtxyz(`1\nLattice="2 0 0 0 3 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="T T T" ${line}\nSi 0 0 0\n`, {
      file: "s.xyz",
    })[0];
  test("is read from nine numbers, from six, and from a virial", () => {
    const expected = [1, 2, 3, 4, 5, 6].map((x) => 24 * x);
    expect([...virialIn(crystal('stress="1 6 5 6 2 4 5 4 3"'), "stress")]).toEqual(expected);
    expect([...virialIn(crystal('stress="1 2 3 4 5 6"'), "stress")]).toEqual(expected);
    expect([...virialIn(crystal('REF_virial="-24 -144 -120 -144 -48 -96 -120 -96 -72"'), "REF_virial")]).toEqual(
      expected,
    );
  });

  test("that is not there, or no stress, is named with its frame", () => {
    expect(() => virialIn(crystal("energy=1 stres=3"), "stress")).toThrow(
      /s\.xyz:1: this frame has no stress "stress".*\n.*"stres"/,
    );
    expect(() => virialIn(crystal('stress="1 2 3"'), "stress")).toThrow(
      /s\.xyz:1: "stress" is "1 2 3", not nine numbers or six/,
    );
    expect(() => virialIn(crystal('stress="1 2 3 4 5 x"'), "stress")).toThrow(/s\.xyz:1: number 6 of "stress" is NaN/);
    const molecule = new Structure({ numbers: [1], positions: [0, 0, 0], source: "m.xyz:4" });
    expect(() => virialIn(molecule, "stress")).toThrow(/m\.xyz:4: a stress needs a crystal/);
  });
});

describe("what is wrong with a frame is named with frame and field", () => {
  const learn = async (text: string, forces: string | undefined = "forces"): Promise<unknown> => {
    const rows = await table(text);
    return PotentialFeaturiser.fit({ cutoff: 3, forces }, rows).dataset(rows);
  };
  test("energies without forces, unless none are asked for", async () => {
    const text = `${TEXT}1\nProperties=species:S:1:pos:R:3 energy=-13.6\nH 0 0 0\n`;
    await expect(learn(text)).rejects.toThrow(
      /a\.xyz:10: this frame has no column of forces "forces"\.\n.*leave the forces out/,
    );
    await expect(learn(TEXT, "force")).rejects.toThrow(/a\.xyz:1: .* "force"\.\n.*Did you mean "forces"/);
    const rows = await table(text);
    expect(PotentialFeaturiser.fit({ cutoff: 3 }, rows).dataset(rows).length).toBe(3);
  });

  test("forces of another width, and numbers that are none", async () => {
    await expect(learn(TEXT.replaceAll("forces:R:3", "forces:R:2:x:R:1"))).rejects.toThrow(
      /a\.xyz:1: .* 2 numbers for each atom/,
    );
    await expect(learn(TEXT.replace("0 0 1\n", "0 nan 1\n"))).rejects.toThrow(/a\.xyz:8: "nan" of "forces"/);
    const structure = new Structure({
      numbers: [1],
      positions: [0, 0, 0],
      arrays: { f: Float64Array.of(0, 1e39, 0) },
      source: "b:1",
    });
    expect(() => forcesIn(structure, "f")).toThrow(/b:1: the force "f" of atom 1 is 1e\+39/);
  });

  test("energies that are none", async () => {
    await expect(learn(TEXT.replace("energy=-31.25", "energy=nan"))).rejects.toThrow(/a\.xyz.*energy/s);
    await expect(learn(TEXT.replace("energy=-31.25", "enrgy=1"))).rejects.toThrow(/a\.xyz.*energy/s);
  });

  test("atoms on top of each other", async () => {
    await expect(learn(TEXT.replace("H 0 0 0.8", "H 0 0 0.05"))).rejects.toThrow(
      /a\.xyz:6: atoms 1 and 2 are 0\.050 Å apart/,
    );
    await expect(learn(TEXT.replace("H 0 0 0.8", "H 0 0 0"))).rejects.toThrow(
      /a\.xyz:6: atoms 1 and 2 are 0\.0 Å apart/,
    );
  });

  test("elements that were not learned", async () => {
    const rows = await table();
    const featuriser = PotentialFeaturiser.fit(SPEC, rows);
    const other = new Structure({ numbers: [1, 26], positions: [0, 0, 0, 2, 0, 0], source: "x.xyz:12" });
    expect(() => featuriser.graph(other)).toThrow(/x\.xyz:12: atom 2 is Fe; the potential has learned H, O\./);
  });
});
