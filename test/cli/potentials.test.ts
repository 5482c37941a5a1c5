import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseExtxyz, writeExtxyz } from "../../src/data/extxyz.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { init } from "../../src/index.ts";
import { tinyFrames } from "../train/tinyFrames.ts";
import { buildIfStale } from "./helpers/build.ts";
import { folder, type Result, spinel, start } from "./helpers/spinel.ts";

const { path, remove } = folder();
const run = (...args: string[]): Promise<Result> => spinel(path, args);
const text = (...names: string[]): string => readFileSync(join(path, ...names), "utf8");
const frames = (...names: string[]): Structure[] => parseExtxyz(text(...names));
const SMALL = [
  ...["--radius", "3", "--n-atom-basis", "16", "--n-interactions", "1", "--n-rbf", "8"],
  ...["--epochs", "20", "--lr", "0.01", "--ema", "0.9", "--threads", "1"],
];
const POTENTIAL = ["--energy", "energy", "--forces", "forces", "--val-fraction", "0.25"];
const train = (out: string, ...rest: string[]): Promise<Result> =>
  run("train", "schnet", "--out", out, ...POTENTIAL, ...SMALL, ...rest);

beforeAll(async () => {
  await init({ threads: 1 });
  await buildIfStale();
  const [molecules, crystals] = [tinyFrames(16), tinyFrames(12, { crystal: true })].map((t) => [...t.structures!]);
  const atoms = [1, 6, 8].map((z) => new Structure({ numbers: [z], positions: [0, 0, 0], properties: { energy: -z } }));
  writeFileSync(join(path, "molecules.xyz"), writeExtxyz(molecules));
  writeFileSync(join(path, "one.xyz"), writeExtxyz(molecules.slice(0, 1)));
  writeFileSync(join(path, "crystals.xyz"), writeExtxyz(crystals));
  writeFileSync(join(path, "atoms.xyz"), writeExtxyz(atoms));
  const both = [...atoms.map((a) => a.with({ arrays: { forces: new Float64Array(3) } })), ...molecules];
  writeFileSync(join(path, "both.xyz"), writeExtxyz(both));
  // Two atoms on springs make a crystal that has a volume it likes.
  const cubes = Array.from({ length: 16 }, (_, i) => cube(2.2 + 0.04 * i, i));
  writeFileSync(join(path, "cubes.xyz"), writeExtxyz(cubes));
  writeFileSync(join(path, "cube.xyz"), writeExtxyz([cube(2.5, 3)]));
  const learned = await train("run", "--data", "molecules.xyz", "--test", "one.xyz");
  expect(learned.stderr).not.toContain("spinel:");
  expect(learned.code).toBe(0);
}, 300_000);
afterAll(remove);

/** A simple cubic crystal whose energy is 2·(a − 2.5)² eV, with its stress. */
function cube(a: number, i: number): Structure {
  const s = (4 * (a - 2.5) * a) / 3 / a ** 3;
  return new Structure({
    ...{ numbers: [14], positions: [0.1 * i, 0, 0], lattice: Lattice.cubic(a) },
    properties: { energy: 2 * (a - 2.5) ** 2 - 100, stress: `${s} 0 0 0 ${s} 0 0 0 ${s}` },
    arrays: { forces: new Float64Array(3) },
  });
}

describe("training", () => {
  test("leaves a run folder with results, predictions and report", () => {
    const results = JSON.parse(text("run", "results.json"));
    expect(results.task).toBe("potential");
    const { validation, test: held } = results.figures;
    expect(Object.keys(validation)).toEqual(["loss", "energyMae", "energyMaeStructure", "forceMae", "forceRmse"]);
    expect(held.energyMaeStructure / held.energyMae).toBeCloseTo(5, 3);
    expect(validation.forceMae).toBeLessThan(results.baselines[0].metrics.validation.forceMae);
    const written = frames("run", "predictions.xyz");
    expect(written.map(({ properties }) => properties.split)).toEqual([...new Array(4).fill("validation"), "test"]);
    let sum = 0;
    for (const { arrays } of written.slice(0, 4))
      arrays.forces.forEach((f, k) => {
        sum += Math.abs(f - arrays.predicted_forces[k]);
      });
    expect((1000 * sum) / 60).toBeCloseTo(validation.forceMae, 1);
    expect(text("run", "report.html")).toContain("Force error by element");
    expect(existsSync(join(path, "run", "predictions.csv"))).toBe(false);
  });

  test("goes on to the same bits, and repeats from config.json", async () => {
    const again = await run("train", "--config", "run/config.json", "--out", "again", "--epochs", "20", "-q");
    expect(again.code).toBe(0);
    expect(readFileSync(join(path, "again", "model.safetensors"))).toEqual(
      readFileSync(join(path, "run", "model.safetensors")),
    );
    const { child, done, says } = start(path, [
      "train",
      "--config",
      "run/config.json",
      "--out",
      "cut",
      "--epochs",
      "400",
    ]);
    await says(/epoch +1\/400/);
    child.kill("SIGINT");
    expect((await done).code).toBe(130);
    const more = await run("train", "--resume", "--out", "cut", "--checkpoint-seconds", "100", "-q", "--epochs", "400");
    expect(more.stderr).toBe("");
    const straight = await run("train", "--config", "cut/config.json", "--out", "straight", "-q");
    expect(straight.code).toBe(0);
    expect(readFileSync(join(path, "cut", "model.safetensors"))).toEqual(
      readFileSync(join(path, "straight", "model.safetensors")),
    );
  }, 120_000);

  test("takes the energies of isolated atoms, from the data or a file of their own", async () => {
    const inside = await train("inside", "--data", "both.xyz", "--epochs", "1");
    expect(inside.stderr).toContain("both.xyz: 3 isolated atoms, used for the energies of the elements");
    const beside = await train("beside", "--data", "molecules.xyz", "--references", "atoms.xyz", "--epochs", "1");
    expect(beside.code).toBe(0);
    const [a, b] = await Promise.all(["inside", "beside"].map((name) => run("info", name, "--json")));
    const energies = (r: Result): number[] =>
      JSON.parse(r.stdout)
        .features["energies of elements (eV)"].match(/-?[\d.]+/g)
        .map(Number);
    expect(energies(a)).toEqual(energies(b));
    const [h, c, o] = energies(a);
    // Free atoms of −1, −6 and −8 eV, all moved by the same binding energy.
    expect(h - c).toBeCloseTo(5, 2);
    expect(c - o).toBeCloseTo(2, 2);
  });

  test("learns stresses, and energies without forces", async () => {
    const result = await train("stressed", "--data", "crystals.xyz", "--stress", "stress", "--epochs", "2", "--json");
    expect(JSON.parse(result.stdout).figures.validation.stressMae).toBeGreaterThan(0);
    const alone = await run(
      "train",
      "schnet",
      "--data",
      "molecules.xyz",
      "--energy",
      "energy",
      "--out",
      "alone",
      ...SMALL,
    );
    expect(alone.stdout).toMatch(/validation:\s+energy MAE .* meV\/atom\n/);
    expect(alone.stdout).not.toContain("force");
  });
});

describe("predict", () => {
  test("writes energies as CSV, all of it as extended xyz or JSON lines", async () => {
    const [want] = frames("run", "predictions.xyz").slice(-1);
    const csv = await run("predict", "run", "one.xyz");
    const [header, row] = csv.stdout.trim().split("\n");
    expect(header).toBe("id,formula,predicted energy");
    expect(Number(row.split(",")[2])).toBeCloseTo(want.properties.predicted_energy as number, 4);
    await run("predict", "run", "one.xyz", "-o", "out.xyz");
    const [out] = frames("out.xyz");
    expect(out.properties.energy).toBe(frames("one.xyz")[0].properties.energy);
    out.arrays.predicted_forces.forEach((f, k) => {
      expect(f).toBeCloseTo(want.arrays.predicted_forces[k], 4);
    });
    const line = JSON.parse((await run("predict", "run", "one.xyz", "--json")).stdout);
    expect(line.forces[1][2]).toBeCloseTo(out.arrays.predicted_forces[5], 5);
  });
});

describe("relax and md", () => {
  test("relax moves downhill, to standard output or a file, one frame or all", async () => {
    const all = await run("relax", "run", "one.xyz", "-o", "relaxed.xyz", "--fmax", "0.05", "--trajectory", "path.xyz");
    expect(all.stderr).not.toContain("spinel:");
    const [end] = frames("relaxed.xyz");
    const steps = frames("path.xyz");
    expect(end.properties.energy).toBeLessThanOrEqual(steps[0].properties.energy as number);
    if (end.properties.converged) expect(Math.max(...end.arrays.forces.map(Math.abs))).toBeLessThan(0.05);
    expect(all.stdout).toMatch(/^1: H3CO, .* eV, largest force .* eV\/Å after \d+ steps/);
    const json = await run("relax", "run", "molecules.xyz", "--frame", "1", "--steps", "1", "--json", "-q");
    expect(JSON.parse(json.stdout)).toMatchObject({ id: "1", steps: 1, converged: false });
    expect(json.stderr).toMatch(/^1: not converged after 1 steps/);
    const piped = await run("relax", "run", "one.xyz", "--steps", "2", "-q");
    expect(parseExtxyz(piped.stdout)[0].properties.steps).toBe(2);
  });

  test("md writes the trajectory, conserves the energy and repeats itself", async () => {
    const args = ["md", "run", "one.xyz", "--steps", "40", "--dt", "0.25", "--every", "8", "--temperature", "100"];
    const first = await run(...args, "-o", "a.xyz", "--json");
    const results = JSON.parse(first.stdout);
    expect(results).toMatchObject({ steps: 40, time: 10, frames: 6 });
    expect(results.largestDeviation).toBeLessThan(2);
    const steps = frames("a.xyz");
    expect(steps.map(({ properties }) => properties.step)).toEqual([0, 8, 16, 24, 32, 40]);
    expect(steps[0].properties.temperature).toBeCloseTo(100, 6);
    await run(...args, "-o", "b.xyz", "-q");
    expect(text("b.xyz")).toBe(text("a.xyz"));
    const warm = await run(...args, "-o", "c.xyz", "--langevin", "--seed", "3");
    expect(warm.stdout).toMatch(/mean temperature [\d.]+ K\n6 frames in c\.xyz/);
    expect(text("c.xyz")).not.toBe(text("a.xyz"));
  });

  test("md that explodes says so and keeps the trajectory; Ctrl-C does, too", async () => {
    const args = ["md", "run", "one.xyz", "--every", "1", "-o"];
    const hot = await run(...args, "hot.xyz", "--steps", "500", "--dt", "20", "--temperature", "5000", "-q");
    expect(hot.code).toBe(1);
    expect(hot.stderr).toMatch(/one\.xyz:1: molecular dynamics, step \d+: .*(exploded|apart)/);
    expect(frames("hot.xyz").length).toBeGreaterThan(0);
    const { child, done, says } = start(path, [...args, "long.xyz", "--steps", "10000000", "--dt", "0.1"]);
    await says("step 0 ");
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill("SIGINT");
    const { code, stderr } = await done;
    expect([code, stderr]).toEqual([130, expect.stringContaining("the trajectory until then is kept")]);
    expect(frames("long.xyz").length).toBeGreaterThan(1);
  });
});

describe("a crystal", () => {
  test("relaxes its cell to the volume that its equation of state has", async () => {
    const args = [
      "--data",
      "cubes.xyz",
      "--stress",
      "stress",
      "--stress-weight",
      "1",
      "--radius",
      "4",
      "--epochs",
      "150",
      "-q",
    ];
    expect((await train("cubes", ...args)).code).toBe(0);
    const eos = await run("eos", "cubes", "cube.xyz", "--range", "0.15", "--json", "--html", "eos.html");
    const { volume, bulkModulus, volumes, energies } = JSON.parse(eos.stdout);
    expect([volumes.length, energies.length]).toEqual([11, 11]);
    expect(Math.cbrt(volume)).toBeGreaterThan(2.4);
    expect(Math.cbrt(volume)).toBeLessThan(2.6);
    // E = 2(a − 2.5)²: B = V·d²E/dV² = 4/(9a).
    expect(((bulkModulus / 160.21766208) * (2.5 * 9)) / 4).toBeGreaterThan(0.85);
    expect(((bulkModulus / 160.21766208) * (2.5 * 9)) / 4).toBeLessThan(1.15);
    expect(text("eos.html")).toContain("<polyline");
    const relaxed = await run("relax", "cubes", "cube.xyz", "--cell", "-o", "cell.xyz");
    expect(relaxed.code).toBe(0);
    const [end] = frames("cell.xyz");
    expect(end.properties.converged).toBe(true);
    expect(Math.abs(end.lattice!.volume / volume - 1)).toBeLessThan(0.03);
    const table = await run("eos", "cubes", "cell.xyz");
    expect(table.stdout).toMatch(/V0 .*\nE0 .*\nB0 .* GPa\nB0' /);
  }, 60_000);
});

describe("mistakes", () => {
  const TRAIN = ["train", "schnet", "--data", "molecules.xyz"];
  test.each<[string[], RegExp]>([
    [[...TRAIN, "--energy", "enrgy"], /no target column "enrgy"\.\n.*Did you mean "energy"/],
    [
      [...TRAIN, "--energy", "energy", "--forces", "force"],
      /molecules\.xyz:1: this frame has no column of forces "force"/,
    ],
    [[...TRAIN, "--energy", "energy", "--stress", "stress"], /molecules\.xyz:1: a stress needs a crystal/],
    [[...TRAIN, "--target", "energy", "--forces", "forces"], /--forces needs the energies/],
    [[...TRAIN, "--target", "gap", "--energy", "energy"], /--target and --energy exclude each other/],
    [[...TRAIN, "--energy", "energy", "--forces-weight", "2"], /--forces-weight needs --forces KEY/],
    [[...TRAIN, "--energy", "energy", "--readout", "mean"], /the sum over its atoms/],
    [[...TRAIN, "--energy", "energy", "--max-neighbours", "5"], /sees all neighbours within the radius/],
    [[...TRAIN, "--energy", "energy", "--unit", "Ha"], /unit is eV/],
    [[...TRAIN, "--energy", "energy", "--references", "molecules.xyz"], /must hold single, isolated atoms/],
    [["train", "cgcnn", "--data", "molecules.xyz", "--energy", "energy"], /--energy is for schnet/],
    [["relax", "run", "one.xyz", "--cell"], /one\.xyz:1: its cell cannot relax/],
    [["relax", "run", "one.xyz", "-o", "one.xyz"], /one\.xyz is the file that is read/],
    [["relax", "run", "cube.xyz"], /cube\.xyz:1: atom 1 is Si; the potential has learned H, C, O/],
    [["md", "run", "one.xyz", "--steps", "5"], /-o, --output/],
    [
      ["md", "run", "molecules.xyz", "--steps", "5", "-o", "x.xyz"],
      /holds 16 structures; this takes one\.\n.*--frame 1/,
    ],
    [["md", "run", "one.xyz", "--steps", "5", "-o", "x.xyz", "--friction", "1"], /needs --langevin/],
    [["md", "run", "one.xyz", "--steps", "5", "-o", "x.xyz", "--dt", "0"], /dt must be/],
    [["eos", "run", "one.xyz"], /one\.xyz:1: its volume cannot change/],
    [["eos", "one.xyz", "one.xyz"], /one\.xyz is not a model/],
    [["predict", "run", "cube.xyz"], /cube\.xyz:1: atom 1 is Si/],
  ])("spinel %j", async (args, message) => {
    const { code, stderr } = await run(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("    at ");
    expect(code).toBe(1);
    expect(existsSync(join(path, "x.xyz"))).toBe(false);
  });
});
