import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { init } from "../../src/core/parallel.ts";
import { Rng } from "../../src/core/random.ts";
import { encodeSafetensors } from "../../src/io/safetensors.ts";
import { Cgcnn } from "../../src/models/index.ts";
import { stateDict } from "../../src/nn/index.ts";
import { buildIfStale } from "./helpers/build.ts";
import {
  BROKEN,
  CRYSTALS,
  cif,
  cifFolder,
  crystal,
  frames,
  idProp,
  jsonLines,
  matbench,
  SMALL,
  SPARSE,
  write,
  zipped,
} from "./helpers/crystals.ts";
import { remains } from "./helpers/kill.ts";
import { folder, type Result, shell, spinel, start } from "./helpers/spinel.ts";

const { path, remove } = folder();

/** Trains a small CGCNN into the folder `out`; what it prints is left to the caller. */
async function train(out: string, data: string, ...rest: string[]): Promise<Result> {
  const own = rest.includes("--target") ? [] : ["--target", "energy"];
  const result = await spinel(path, ["train", "cgcnn", "--data", data, "--out", out, ...own, ...SMALL, ...rest]);
  expect(result.stderr).not.toContain("spinel:");
  expect(result.code).toBe(0);
  return result;
}

beforeAll(async () => {
  await buildIfStale();
  const files = cifFolder();
  write(join(path, "cifs"), files);
  write(join(path, "sparse"), cifFolder({ "x7.cif": SPARSE }));
  write(join(path, "broken"), cifFolder({ "x7.cif": BROKEN, "x9.cif": undefined, "x50.cif": cif(1) }));
  write(join(path, "metals"), cifFolder({ "id_prop.csv": idProp(({ metal }) => metal) }));
  write(join(path, "moving"), files);
  write(path, {
    "all.zip": zipped(files),
    "all.jsonl": jsonLines(),
    "all.xyz": frames(),
    "matbench_salts.json.gz": matbench(),
    "linked.csv": `file,energy\n${idProp(({ energy }) => energy).replace(/^(\w+)/gm, "cifs/$1.cif")}`,
  });
  await train("run", "cifs", "--test-fraction", "0.25", "--val-fraction", "0.2", "--unit", "eV", "--epochs", "3", "-q");
}, 300_000);
afterAll(remove);

const bytes = (...names: string[]): Buffer => readFileSync(join(path, ...names));
const text = (...names: string[]): string => bytes(...names).toString();
const json = (...names: string[]) => JSON.parse(text(...names));
const cells = (table: string): string[][] =>
  table
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
const predict = (...args: string[]) => spinel(path, ["predict", ...args]);

/** id → predicted energy, of the run's own predictions.csv. */
const reported = (): Map<string, number> =>
  new Map(
    cells(text("run", "predictions.csv"))
      .slice(1)
      .map((row) => [row[0], Number(row[4])]),
  );

/** Predictions that a command has printed are those of the run, up to the rounding of f32. */
function expectReported(stdout: string, idOf: (id: string) => string = (id) => id): void {
  const [header, ...rows] = cells(stdout);
  expect(header).toEqual(["id", "formula", "predicted energy"]);
  const found = new Map(rows.map(([id, , value]) => [idOf(id), Number(value)]));
  expect(found.size).toBe(CRYSTALS);
  for (const [id, energy] of reported()) expect(Math.abs(found.get(id)! / energy - 1), id).toBeLessThan(1e-6);
}

describe.concurrent("spinel train cgcnn", () => {
  test("a folder of CIF files: everything in the run's folder", async () => {
    expect(
      readdirSync(join(path, "run"))
        .map((name) => name.replace(/^events\.out\.tfevents\..*/, "events"))
        .sort(),
    ).toEqual([
      ...["checkpoint.safetensors", "config.json", "events", "metrics.jsonl", "model.safetensors"],
      ...["predictions.csv", "report.html", "results.json"],
    ]);
    expect(json("run", "config.json")).toMatchObject({
      ...{ model: "cgcnn", data: "cifs", target: "energy", task: "regression", loss: "l1" },
      ...{ radius: 8, maxNeighbours: 12, shells: "cut", pads: "mask", atomVectors: "cgcnn" },
      ...{ atomFeaLen: 8, nConv: 1, hFeaLen: 8, nH: 1, sha256: { data: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    });
    const results = json("run", "results.json");
    expect(results).toMatchObject({ model: "cgcnn", task: "regression", target: "energy", unit: "eV", epochs: 3 });
    expect(results.baselines[1].name).toBe("linear regression on the formula");
    const [header, ...rows] = cells(text("run", "predictions.csv"));
    expect(header).toEqual(["id", "formula", "split", "energy", "predicted energy"]);
    expect(rows.map((row) => row[2])).toEqual([...Array(4).fill("validation"), ...Array(6).fill("test")]);
    for (const [id, formula, , energy] of rows) {
      const own = crystal(Number(id.slice(1)));
      expect([formula, Number(energy)]).toEqual([own.structure.formula, own.energy]);
    }
    const page = text("run", "report.html");
    expect(page).toContain("CGCNN: energy");
    const drawn = /<script[^>]*id="structures"[^>]*>(.*?)<\/script>/s.exec(page)!;
    expect(JSON.parse(drawn[1])[0]).toMatchObject({ numbers: expect.any(Array), lattice: expect.any(Array) });
    expect(page).toMatch(/Error by element/);
    expect(page).not.toMatch(/(src|href)="https?:/);
  });

  test("every kind of source with the same rows is the same run", async () => {
    const sources = [
      "cifs",
      "cifs/id_prop.csv",
      "all.zip",
      "all.jsonl",
      "all.xyz",
      "matbench_salts.json.gz",
      "linked.csv",
    ];
    const errors = sources.map(async (data, i) => {
      const { stderr } = await train(`from ${i}`, data, "--test-fraction", "0.25", "--epochs", "1");
      expect(stderr).toContain(`cgcnn on ${data}: 16 rows to learn from, 2 to validate with, 6 to test with\n`);
      expect(stderr).toContain("features  92: the 12 nearest neighbours within 8 Å, cgcnn atom vectors\n");
      expect(stderr).not.toMatch(/--numeric|isolated/);
      return json(`from ${i}`, "results.json").figures.test.mae;
    });
    const [first, ...others] = await Promise.all(errors);
    // Files hold fewer digits of the positions.
    for (const other of others) expect(other).toBeCloseTo(first, 4);
  });

  test("one bad file among 1,000 is named; without it, training goes on", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 1000 }, (_, i) => [`m${i}.cif`, i === 777 ? BROKEN : cif(i % 24)]),
    );
    const table = Array.from({ length: 1000 }, (_, i) => `m${i},${crystal(i % 24).energy}\n`).join("");
    write(join(path, "many"), { ...many, "id_prop.csv": table });
    const args = [
      "train",
      "cgcnn",
      "--data",
      "many",
      "--target",
      "energy",
      ...SMALL,
      "--epochs",
      "1",
      "--out",
      "many run",
    ];
    const bad = 'many/m777.cif:22: _atom_site_fract_y is "O.5": not a number.\n';
    expect(await spinel(path, args)).toEqual({
      code: 1,
      stdout: "",
      stderr: `spinel: ${bad}  Correct it, or leave it out (--skip-bad).\n`,
    });
    expect(existsSync(join(path, "many run"))).toBe(false);
    const { code, stderr } = await spinel(path, [...args, "--skip-bad"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^many\/id_prop\.csv: 1 row left out:\n {2}line 778: many\/m777\.cif:22: .*\ncgcnn on many: 899 rows/,
    );
  });

  test("the same bits on two threads, and from the run's config.json", async () => {
    const repeat = ["train", "--config", "run/config.json", "--out", "again", "--threads", "2", "-q"];
    expect(await spinel(path, repeat)).toMatchObject({ code: 0, stderr: "" });
    for (const name of ["model.safetensors", "predictions.csv"])
      expect(bytes("again", name).equals(bytes("run", name))).toBe(true);
  });

  test("spinel info shows what the model is", async () => {
    const shown = (await spinel(path, ["info", "run"])).stdout;
    expect(shown).toMatch(/\narchitecture: model cgcnn, inputs 92, outputs 1, atomFeaLen 8, nConv 1, /);
    expect(shown).toMatch(/\ntarget: energy \(eV\)\n/);
    expect(shown).toMatch(/\nfeatures: radius 8, maxNeighbours 12, shells cut, pads mask, atoms cgcnn\n/);
  });

  test("two folds", async () => {
    const { stdout } = await train("folds", "all.jsonl", "--folds", "2");
    expect(stdout).toMatch(/^fold 1: .*\nfold 2: .*\nmean ± std: {3}MAE /);
    const rows = cells(text("folds", "predictions.csv")).slice(1);
    expect(rows.map(([id]) => id).sort()).toEqual(Array.from({ length: CRYSTALS }, (_, i) => `x${i}`).sort());
    expect(rows.map((row) => row[2])).toEqual([...Array(12).fill("1"), ...Array(12).fill("2")]);
  });

  test("two classes", async () => {
    const { stderr } = await train("metals run", "metals", "--target", "metal", "--test-fraction", "0.25");
    expect(stderr).toContain("target    metal: classification (0 | 1)\n");
    expect(json("metals run", "results.json")).toMatchObject({ task: "classification", classes: ["0", "1"] });
    const { stdout } = await predict("metals run", "cifs/x1.cif", "--json");
    const { "probability 0": p, "probability 1": q, ...rest } = JSON.parse(stdout);
    expect(p + q).toBeCloseTo(1, 5);
    expect(rest).toEqual({ id: "x1", formula: "NaS", "predicted metal": p > q ? "0" : "1" });
  });

  test("atoms far from all others are told, and learned from", async () => {
    const { stderr } = await train("sparse run", "sparse");
    expect(stderr).toContain("\n  isolated  2 atoms have no neighbour within 8 Å (see --radius)\n");
    expect((await train("wide run", "sparse", "--radius", "31", "--epochs", "1")).stderr).not.toContain("isolated");
  });

  test("--skip-bad goes on, and lists what it left out", async () => {
    const { stderr } = await train("skipped", "broken", "--skip-bad");
    expect(stderr).toContain(
      'broken/id_prop.csv: 2 rows left out:\n  line 8: broken/x7.cif:22: _atom_site_fract_y is "O.5": not a number.\n' +
        '  line 10: there is no structure file for "x9".\ncgcnn on broken: 20 rows',
    );
    expect(stderr).toContain("\n  not used  x50.cif\n");
  });

  test("own atom vectors; a run goes on with no others", async () => {
    const vectors = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [i + 1, [i / 60, (i % 18) / 18, 1]]));
    writeFileSync(join(path, "vectors.json"), JSON.stringify(vectors));
    const args = ["--atom-vectors", "vectors.json", "--shells", "whole", "--radius", "4"];
    const { stderr } = await train("own", "all.jsonl", ...args);
    expect(stderr).toContain("features  3: the 12 nearest neighbours within 4 Å in whole shells, own atom vectors\n");
    expect(json("own", "config.json").sha256).toMatchObject({ atomVectors: expect.stringMatching(/^[0-9a-f]{64}$/) });
    // The vectors are in the model.
    expect((await predict("own", "cifs/x1.cif")).stdout).toMatch(/^id,formula,predicted energy\nx1,NaS,\S+\n$/);
    writeFileSync(join(path, "vectors.json"), JSON.stringify({ ...vectors, 1: [9, 9, 9] }));
    const again = await spinel(path, ["train", "--config", "own/config.json", "--out", "other"]);
    expect(again.stderr).toContain("vectors.json has changed since the run of that configuration.");
  });

  test("embedded crystals", async () => {
    // As many rows as there are: the smallest model for one epoch.
    const args = ["--target", "energy_per_atom", "--batch-size", "512", "--epochs", "1", "--max-neighbours", "4"];
    expect((await train("embedded", "embedded:crystals", ...args)).stderr).toMatch(
      /^cgcnn on embedded:crystals: 3150 rows to learn from, 350 to validate with\n/,
    );
  });

  test("an mlp learns from the formulas of structures, and predicts for them", async () => {
    const args = ["--target", "energy", "--hidden", "4", "--epochs", "1", "--threads", "1", "--val", "all.jsonl"];
    const run = await spinel(path, ["train", "mlp", "--data", "cifs", "--out", "mlp", ...args]);
    expect(run.stderr).toMatch(/^mlp on cifs: 24 rows .*\n.*\n {2}features {2}152: magpie of the formula\n/);
    const { code, stdout } = await predict("mlp", "cifs/x1.cif", "all.jsonl", "all.zip");
    expect([code, cells(stdout).length]).toEqual([0, 1 + 1 + 2 * CRYSTALS]);
    // The same crystal alone and among others: products of other sizes may differ in f32's last digit.
    const [alone, among] = [cells(stdout)[1], cells(stdout)[3]];
    expect(among.slice(0, 2)).toEqual(alone.slice(0, 2));
    expect(Number(among[2])).toBeCloseTo(Number(alone[2]), 5);
  });
});

describe.concurrent("Ctrl-C and --resume", () => {
  const LONG = ["--target", "energy", ...SMALL, "--epochs", "80", "--test-fraction", "0.25"];

  test("end with the same bits; data that changed are noticed", async () => {
    const whole = train("whole", "moving", ...LONG, "-q");
    const { child, done, says } = start(path, ["train", "cgcnn", "--data", "moving", "--out", "stopped", ...LONG]);
    await says(/\nepoch /);
    child.kill("SIGINT");
    const { code, stderr } = await done;
    expect(code).toBe(130);
    expect(stderr).toMatch(/Go on with:\n {2}spinel train --resume --out stopped\n$/);
    await whole;
    const resume = (...rest: string[]) => spinel(path, ["train", "--resume", "--out", "stopped", ...rest]);
    expect((await resume("--radius", "5")).stderr).toMatch(/^spinel: --resume: --radius is 5 now but 8 in stopped/);
    writeFileSync(join(path, "moving", "x3.cif"), cif(3).replace("0.5 0.5 0.5", "0.5 0.5 0.4"));
    expect((await resume()).stderr).toMatch(
      /^spinel: moving has changed since the run in stopped began\.\n {2}Restore/,
    );
    writeFileSync(join(path, "moving", "x3.cif"), cif(3));
    writeFileSync(join(path, "moving", "notes.txt"), "no part of the data");
    expect(await resume("--threads", "2", "-q")).toMatchObject({ code: 0, stderr: "" });
    expect(remains(join(path, "stopped"))).toEqual(remains(join(path, "whole")));
  });
});

describe.concurrent("spinel predict", () => {
  test("gives what the run reported, from files, folder, zip, lines, frames and a pipe", async () => {
    const files = Array.from({ length: CRYSTALS }, (_, i) => `cifs/x${i}.cif`);
    const { stdout, stderr } = await predict("run", ...files);
    expect(stderr).toBe("");
    expectReported(stdout);
    for (const source of ["cifs", "all.zip", "all.jsonl", "all.xyz"])
      expectReported((await predict("run", source)).stdout);
    expectReported((await predict("run", "matbench_salts.json.gz")).stdout, (id) => `x${Number(id.slice(-2)) - 1}`);
    expectReported((await spinel(path, ["predict", "run", "-"], { stdin: jsonLines() })).stdout);
    expect((await predict("run", "cifs", "--threads", "2")).stdout).toBe((await predict("run", "cifs")).stdout);
  });

  test("a broken file ends it, or with --skip-bad is listed", async () => {
    const files = ["cifs/x1.cif", "broken/x7.cif", "none.cif", "cifs/x2.cif"];
    const stopped = await predict("run", ...files, "-o", "stopped.csv");
    expect([stopped.code, stopped.stderr]).toEqual([
      1,
      'spinel: broken/x7.cif:22: _atom_site_fract_y is "O.5": not a number.\n',
    ]);
    const { code, stdout, stderr } = await predict("run", ...files, "--skip-bad");
    expect([code, stderr]).toEqual([
      0,
      'left out: broken/x7.cif:22: _atom_site_fract_y is "O.5": not a number.\n' +
        "left out: none.cif: there is no such file.\n",
    ]);
    expect(cells(stdout).map(([id]) => id)).toEqual(["id", "x1", "x2"]);
    expect(readdirSync(path).filter((name) => /stopped\.csv/.test(name))).toEqual([]);
  });

  if (process.platform !== "win32")
    test("a stream that never ends is predicted as it comes", async () => {
      const endless = `while cat all.jsonl; do :; done 2>/dev/null | "$NODE" "$CLI" predict run - --threads 1 | tail -n +400 | head -n 2`;
      const { stdout } = await shell(path, endless);
      expect(cells(stdout).map(([id]) => id)).toEqual([`x${398 % CRYSTALS}`, `x${399 % CRYSTALS}`]);
    });

  test("a model of CGCNN's authors, saved with its hyper-parameters", async () => {
    await init({ threads: 1 });
    const model = new Cgcnn(92, 1, new Rng(3), { atomFeaLen: 8, nConv: 2, hFeaLen: 12 });
    const tensors = new Map([...stateDict(model)].map(([name, t]) => [name, { shape: t.shape, data: t.toArray() }]));
    const metadata = {
      ...{ model: "cgcnn", task: "regression", atom_fea_len: "8", n_conv: "2", h_fea_len: "12", n_h: "1" },
      ...{ mean: "-1.5", std: "0.25", target: "energy", source: "somewhere" },
    };
    writeFileSync(join(path, "authors.safetensors"), encodeSafetensors(tensors, metadata));
    const { code, stdout, stderr } = await predict("authors.safetensors", "cifs/x0.cif", "sparse/x7.cif");
    expect([code, stderr]).toEqual([0, ""]);
    const [header, rock, lone] = cells(stdout);
    expect([header, rock.slice(0, 2), lone.slice(0, 2)]).toEqual([
      ["id", "formula", "predicted energy"],
      ["x0", "LiF"],
      ["x7", "ZnS"],
    ]);
    for (const row of [rock, lone]) expect(Math.abs(Number(row[2]) + 1.5)).toBeLessThan(2);
    expect((await spinel(path, ["info", "authors.safetensors"])).stdout).toMatch(
      /kind: model\n.*atomFeaLen 8, nConv 2/,
    );
  });
});
