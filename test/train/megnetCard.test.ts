import { beforeAll, expect, test } from "vitest";
import { Graph } from "../../src/data/graph.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { Structure } from "../../src/data/structure.ts";
import { init, Rng, scope } from "../../src/index.ts";
import { encodeSafetensors } from "../../src/io/index.ts";
import { type Architecture, buildModel, MEGNET_MATGL, Megnet } from "../../src/models/index.ts";
import { stateDict } from "../../src/nn/index.ts";
import { megnetCard } from "../../src/train/megnetCard.ts";
import { Predictor, parseCard } from "../../src/train/predictor.ts";
import { tableOf } from "../models/crystals.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

/** A small network's file as matgl's weights come in one: its names, its configuration and its normaliser. */
function matglFile(): { file: Uint8Array; model: Megnet; metadata: Record<string, string> } {
  const sizes = { embedding: 3, blocks: 2, dense: [6, 4], conv: [6, 5, 4], head: [5, 3] };
  const basis = { start: 0, step: 5 / 8, count: 9, gamma: 0.5 };
  const model = new Megnet(1, new Rng(7), { ...MEGNET_MATGL, ...sizes, basis });
  const init_args = {
    ...{
      dim_node_embedding: 3,
      dim_edge_embedding: 9,
      dim_state_embedding: 2,
      nblocks: 2,
      niters_set2set: 2,
      cutoff: 4,
    },
    ...{ hidden_layer_sizes_input: [6, 4], hidden_layer_sizes_conv: [6, 5, 4], hidden_layer_sizes_output: [5, 3] },
    ...{ element_types: null, gauss_width: 0.5 },
  };
  const metadata = {
    model: "megnet (matgl)",
    source: "a test",
    config: JSON.stringify({
      kwargs: { model: { init_args }, target_transformer: "Normalizer: Mean=-1.5, Std: 2.25" },
    }),
  };
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, t] of stateDict(model)) {
    const own = name === "embedding.weight" ? "embedding.layer_node_embedding.weight" : name;
    tensors.set(`model.${own}`, { shape: t.shape, data: t.toArray() });
  }
  tensors.set("model.bond_expansion.rbf.centers", { shape: [9], data: new Float32Array(9) });
  return { file: encodeSafetensors(tensors, metadata), model, metadata };
}

const salt = new Structure({
  lattice: Lattice.cubic(4.1437),
  numbers: [55, 17],
  fractional: [0, 0, 0, 0.5, 0.5, 0.5],
  source: "salt.cif",
});

test("a file of matgl's predicts in the target's unit, with its own names for the weights", async () => {
  const { file, model } = matglFile();
  const predictor = await Predictor.load(file, (a: Architecture, rng) => buildModel(a, rng));
  const [y] = predictor.predict(tableOf([salt]));
  scope(() => {
    const graph = Graph.batch([(predictor.dataset(tableOf([salt])) as never as { graphs: never[] }).graphs[0]]);
    expect(y).toBeCloseTo(2.25 * model.forward(graph).item() - 1.5, 5);
    // All within 4 Å: 8 of the other kind for each.
    expect(graph.edges).toBe(16);
  });
});

test("its card names what it was trained on; elements that it has not learned are refused", async () => {
  const { file, metadata } = matglFile();
  expect(parseCard(metadata, "x")).toEqual(megnetCard(metadata));
  expect(megnetCard(metadata)!.notes).toEqual({ source: "a test" });
  expect(megnetCard({ model: "cgcnn" })).toBeUndefined();
  const predictor = await Predictor.load(file, (a: Architecture, rng) => buildModel(a, rng));
  const polonium = new Structure({
    lattice: Lattice.cubic(3.35),
    numbers: [84],
    fractional: [0, 0, 0],
    source: "Po.cif",
  });
  expect(() => predictor.predict(tableOf([polonium]))).toThrow("Po.cif: the network has not learned Po.");
});
