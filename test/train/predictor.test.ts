import { beforeAll, expect, test } from "vitest";
import { Featuriser } from "../../src/data/featuriser.ts";
import { ionicTable } from "../../src/data/ionic.ts";
import { init, Rng } from "../../src/index.ts";
import { decodeSafetensors, encodeSafetensors, safetensorsPieces } from "../../src/io/safetensors.ts";
import { type Architecture, buildModel } from "../../src/models/index.ts";
import { Predictor } from "../../src/train/predictor.ts";
import { taskFrom } from "../../src/train/task.ts";

const rows = ionicTable().rows([0, 1, 2, 3, 4]);
let bytes: Uint8Array;
let expected: Float32Array;

const join = (pieces: Iterable<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat([...pieces]));

beforeAll(async () => {
  await init({ threads: 1 });
  const featuriser = Featuriser.fit({ formula: "magpie" }, ionicTable());
  const architecture: Architecture = {
    model: "mlp",
    sizes: [featuriser.width, 8, 1],
    activation: "tanh",
    norm: "batch",
  };
  const model = buildModel(architecture, new Rng(3));
  const task = taskFrom({ kind: "regression", loss: "mse", mean: [1000], std: [250] });
  const predictor = Predictor.of(model, featuriser, task, { architecture, target: { name: "energy", unit: "kJ/mol" } });
  expected = predictor.predict(rows);
  bytes = join(predictor.toSafetensors());
});

/** The file with its card changed. */
function edited(change: (card: Record<string, unknown>) => void): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const card = JSON.parse(metadata.spinel);
  change(card);
  return join(safetensorsPieces(new Map(tensors), { ...metadata, spinel: JSON.stringify(card) }));
}

test("a model file predicts what the model predicted, to the bit, without targets", async () => {
  const loaded = await Predictor.load(bytes, buildModel);
  expect(loaded.predict(rows)).toEqual(expected);
  expect(loaded.card.target).toEqual({ name: "energy", unit: "kJ/mol" });
  expect(join(loaded.toSafetensors())).toEqual(bytes);
});

test("features of another version are refused, not used", async () => {
  const other = edited((card) => {
    card.featuriserHash = "0".repeat(64);
  });
  await expect(Predictor.load(other, buildModel, "m.safetensors")).rejects.toThrow(
    /m\.safetensors: its features were computed by another/,
  );
});

test("a file without a model, of a newer format, or damaged says so", async () => {
  const plain = encodeSafetensors({ w: { shape: [1], data: new Float32Array(1) } });
  await expect(Predictor.load(plain, buildModel, "w.safetensors")).rejects.toThrow(/holds weights but no spinel model/);
  const newer = edited((card) => {
    card.version = 2;
  });
  await expect(Predictor.load(newer, buildModel)).rejects.toThrow(/newer spinel/);
  await expect(Predictor.load(bytes.subarray(0, bytes.length - 9), buildModel, "cut.safetensors")).rejects.toThrow(
    /cut\.safetensors/,
  );
});

test("weights of other sizes are listed", async () => {
  const wider = edited((card) => {
    (card.architecture as { sizes: number[] }).sizes[1] = 9;
  });
  await expect(Predictor.load(wider, buildModel)).rejects.toThrow(
    /mis-shaped: layers\.0\.weight is \[8, \d+\], the model has \[9, \d+\]/,
  );
});
