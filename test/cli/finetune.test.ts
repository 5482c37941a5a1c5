import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { completeConfig, type Fields } from "../../src/cli/config.ts";
import { modelNamed, readOrigin, withOrigin } from "../../src/cli/origin.ts";
import { prepareParts } from "../../src/cli/prepare.ts";
import { type Setup, setUp } from "../../src/cli/trainOne.ts";
import { UserError } from "../../src/core/errors.ts";
import { init } from "../../src/core/parallel.ts";
import { Rng } from "../../src/core/random.ts";
import { CrystalGraphFeaturiser } from "../../src/data/crystalGraph.ts";
import { ELEMENTS } from "../../src/data/elements.ts";
import { writeExtxyz } from "../../src/data/extxyz.ts";
import { Featuriser } from "../../src/data/featuriser.ts";
import { ionicTable } from "../../src/data/ionic.ts";
import { PotentialFeaturiser } from "../../src/data/potentialFeaturiser.ts";
import { encodeSafetensors } from "../../src/io/safetensors.ts";
import { type Architecture, buildModel } from "../../src/models/index.ts";
import { parameters, stateDict } from "../../src/nn/index.ts";
import { POTENTIAL_WEIGHTS } from "../../src/train/potentialTask.ts";
import { Predictor } from "../../src/train/predictor.ts";
import { type TaskConfig, taskFrom } from "../../src/train/task.ts";
import { crystal } from "./helpers/crystals.ts";

const folder = mkdtempSync(join(tmpdir(), "spinel-finetune-"));
const at = (name: string): string => join(folder, name);
const energies: TaskConfig = { kind: "regression", loss: "l1", mean: [-5], std: [2] };
const DATA = at("salts.jsonl");

/** Writes a model that has learned nothing, but says what it predicts. */
function save(
  name: string,
  architecture: Architecture,
  featuriser: Predictor["featuriser"],
  task = energies,
  predicts = "energy_per_atom",
): Predictor {
  const model = buildModel(architecture, new Rng(7));
  const target = { name: predicts };
  const predictor = Predictor.of(model, featuriser, taskFrom(task), { architecture, target });
  const pieces = [...predictor.toSafetensors()];
  writeFileSync(at(name), Buffer.concat(pieces));
  return predictor;
}

let cgcnn: Predictor;
beforeAll(async () => {
  await init({ threads: 1 });
  const rows = Array.from({ length: 12 }, (_, i) => {
    const { id, structure, energy } = crystal(i);
    const { lattice, numbers, positions } = structure;
    const species = Array.from(numbers, (z) => ELEMENTS[z - 1].symbol);
    const place = [positions.subarray(0, 3), positions.subarray(3, 6)].map((xyz) => [...xyz]);
    const properties = { energy_per_atom: energy, gap: i / 2 };
    return JSON.stringify({ id, lattice: lattice!.matrix, species, positions: place, ...properties });
  });
  writeFileSync(DATA, rows.join("\n"));
  const graphs = new CrystalGraphFeaturiser({ radius: 5, maxNeighbours: 6, atoms: "onehot" });
  const small = { atomFeaLen: 8, nConv: 1, hFeaLen: 8 };
  cgcnn = save("cgcnn", { model: "cgcnn", inputs: graphs.width, outputs: 1, ...small }, graphs);
  const numbers = new CrystalGraphFeaturiser({ radius: 4, maxNeighbours: undefined, atoms: "numbers" });
  const net = { nAtomBasis: 8, nInteractions: 1, nRbf: 5, cutoff: 4 };
  save("schnet", { model: "schnet", outputs: 1, readout: "mean", ...net }, numbers);
  const frames = rows.map((_, i) => crystal(i % 2));
  const xyz = frames.map(({ structure, energy }) => structure.with({ properties: { energy } }));
  writeFileSync(at("frames.xyz"), writeExtxyz(xyz));
  const learned = { loss: "mse", scale: 3, weights: POTENTIAL_WEIGHTS, forces: false, stress: false } as const;
  const potential: TaskConfig = { kind: "potential", ...learned };
  const elements = new PotentialFeaturiser({ cutoff: 4 }, new Map([[11, -1]]));
  save("potential", { model: "schnet", outputs: 1, readout: "sum", ...net }, elements, potential, "energy");
  const formulas = Featuriser.fit({ formula: "magpie" }, ionicTable());
  save("mlp", { model: "mlp", sizes: [formulas.width, 8, 1] }, formulas);
  writeFileSync(
    at("labels.csv"),
    `formula,kind\n${["NaCl,salt", "MgO,oxide"]
      .map((row) => `${row}\n`)
      .join("")
      .repeat(10)}`,
  );
});

/** What `spinel finetune` makes of its flags, up to the first step. */
async function start(name: string, flags: Fields): Promise<Setup> {
  const origin = await readOrigin(at(name));
  const given = { data: DATA, target: "gap", threads: 1, ...flags };
  const config = withOrigin(completeConfig({ from: at(name), model: modelNamed(origin), ...given }), origin);
  const [parts] = await prepareParts(config, new Rng(1), () => {});
  return setUp(config, parts, new Rng(2));
}

const bodyOf = (model: object, head: readonly string[]): [string, number[]][] =>
  [...stateDict(model)].filter(([name]) => !head.includes(name)).map(([name, { data }]) => [name, [...data]]);

describe("finetune", () => {
  test("another target: the model's graphs and body, a fresh head, targets normalised anew, a fifth of the rate", async () => {
    const { model, fresh, featuriser, task } = await start("cgcnn", {});
    expect(fresh).toEqual(["fc_out.weight", "fc_out.bias"]);
    expect(featuriser.hash).toBe(cgcnn.featuriser.hash);
    expect(bodyOf(model, fresh)).toEqual(bodyOf(cgcnn.model, fresh));
    expect(stateDict(model).get("fc_out.weight")!.toArray()).not.toEqual(
      stateDict(cgcnn.model).get("fc_out.weight")!.toArray(),
    );
    const json = task.toJSON() as TaskConfig & { kind: "regression" };
    expect(json.mean[0]).toBeGreaterThan(0);
    expect(json.mean[0]).toBeLessThan(5.5);
    const own = completeConfig({ from: at("cgcnn"), model: "cgcnn", data: DATA, target: "x" });
    expect([own.lr, own.radius, own.nConv, own.epochs]).toEqual([1e-3, undefined, undefined, 60]);
  });

  test("more of the same target: head and scale are kept, and the first predictions are the model's", async () => {
    const { model, fresh, task, parts } = await start("cgcnn", { target: "energy_per_atom" });
    expect(fresh).toEqual([]);
    expect(task.toJSON()).toMatchObject({ mean: [-5], std: [2] });
    const rows = parts.validation;
    const now = Predictor.of(model, cgcnn.featuriser, task, {
      architecture: cgcnn.card.architecture,
      target: { name: "e" },
    });
    expect(now.predict(rows)).toEqual(cgcnn.predict(rows));
    const anew = await start("cgcnn", { target: "energy_per_atom", freshHead: true });
    expect(anew.fresh.length).toBe(2);
    expect(anew.task.toJSON()).not.toMatchObject({ mean: [-5] });
  });

  test("classes instead of a number", async () => {
    const { architecture, fresh, task } = await start("mlp", { data: at("labels.csv"), target: "kind" });
    expect(architecture).toMatchObject({ model: "mlp", sizes: [expect.any(Number), 8, 2] });
    expect(task.toJSON()).toMatchObject({ kind: "classification", classes: ["oxide", "salt"] });
    expect(fresh).toEqual(["layers.1.weight", "layers.1.bias"]);
    await expect(start("mlp", { data: at("labels.csv"), target: "kind", freshHead: false })).rejects.toThrow(
      /--head keep: the model of .*mlp has learned energy_per_atom, a regression; this run learns kind, a classification \(oxide \| salt\)/,
    );
  });

  test("the body is frozen as a whole, or by name; a sum over atoms becomes a mean or stays", async () => {
    const body = await start("schnet", { freeze: ["body"], readout: "sum" });
    expect([...parameters(body.model).keys()]).toEqual(["outnet.1.weight", "outnet.1.bias"]);
    expect(body.architecture).toMatchObject({ model: "schnet", readout: "sum", cutoff: 4, outputs: 1 });
    const named = await start("schnet", { freeze: ["embedding.*", "interactions.0.*"] });
    expect([...parameters(named.model).keys()].every((name) => name.startsWith("outnet."))).toBe(true);
    expect(named.architecture).toMatchObject({ readout: "mean" });
    await expect(start("schnet", { readout: "pooled" })).rejects.toThrow(
      /has the readout mean; this run asks for pooled/,
    );
    await expect(start("schnet", { freeze: ["convs.*"] })).rejects.toThrow(
      /--freeze: no parameter is called "convs\.\*"\.\n {2}There are embedding\.weight, .*body for all but the last layer/,
    );
  });

  test("a potential goes on with other frames, or becomes a model of a property", async () => {
    const data = at("frames.xyz");
    const { fresh, task, architecture, featuriser } = await start("potential", {
      data,
      target: undefined,
      energy: "energy",
    });
    expect(fresh).toEqual([]);
    expect(task.toJSON()).toMatchObject({ kind: "potential", scale: 3 });
    expect(architecture).toMatchObject({ model: "schnet", readout: "sum", cutoff: 4 });
    expect((featuriser as PotentialFeaturiser).spec.cutoff).toBe(4);
    expect((featuriser as PotentialFeaturiser).elements).toContain("Na");
    const property = await start("potential", { readout: "mean" });
    expect(property.fresh).toEqual(["outnet.1.weight", "outnet.1.bias"]);
    expect(property.architecture).toMatchObject({ readout: "mean" });
    expect(property.featuriser).toBeInstanceOf(CrystalGraphFeaturiser);
    await expect(start("potential", { freshHead: false })).rejects.toThrow(/--head keep: .* energy, a potential/);
  });

  const MISTAKES: [string, Fields, RegExp][] = [
    ["what comes with the model", { radius: 6 }, /--radius comes with the model of .*cgcnn\.\n {2}Leave it out/],
    ["features of another kind", { numeric: ["a"] }, /--numeric comes with the model of/],
    ["two ways to start", { init: "w.safetensors" }, /--from and --init exclude each other/],
    ["an unknown column", { target: "gaps" }, /has no target column "gaps"/],
    ["energies of a potential", { energy: "energy", target: undefined }, /--energy is for/],
  ];
  test.each(MISTAKES)("%s", async (_name, flags, says) => {
    const error = await start("cgcnn", flags).catch((caught) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(says);
  });

  test("weights without a model, and a head without one", async () => {
    writeFileSync(at("bare"), encodeSafetensors(new Map([["w", { shape: [1], data: new Float32Array(1) }]])));
    await expect(readOrigin(at("bare"))).rejects.toThrow("holds weights but no spinel model");
    expect(() => completeConfig({ model: "cgcnn", data: "d", target: "t", freshHead: true })).toThrow(
      "--fresh-head is for runs that start from a model",
    );
  });
});
