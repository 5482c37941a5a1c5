import { CGCNN_GRAPH, CrystalGraphFeaturiser } from "../data/crystalGraph.ts";
import type { ModelCard } from "./predictor.ts";
import type { TaskConfig } from "./task.ts";

/**
 * The card of a model that CGCNN's authors trained, from its hyper-parameters and normaliser as a file's metadata has them
 * (model, task, atom_fea_len, n_conv, h_fea_len, n_h, mean, std); undefined for other files. Their code fills up missing neighbours.
 */
export function cgcnnCard(metadata: Readonly<Record<string, string>>): ModelCard | undefined {
  if (metadata.model !== "cgcnn") return undefined;
  const number = (name: string, otherwise: number): number => {
    const value = Number(metadata[name] ?? otherwise);
    return Number.isFinite(value) ? value : otherwise;
  };
  const featuriser = new CrystalGraphFeaturiser({ ...CGCNN_GRAPH, pads: "paper" });
  const task: TaskConfig =
    metadata.task === "classification"
      ? { kind: "classification", classes: ["0", "1"] }
      : { kind: "regression", loss: "mse", mean: [number("mean", 0)], std: [number("std", 1)] };
  return {
    format: "spinel-model",
    version: 1,
    architecture: {
      model: "cgcnn",
      inputs: featuriser.width,
      outputs: task.kind === "classification" ? 2 : 1,
      atomFeaLen: number("atom_fea_len", 64),
      nConv: number("n_conv", 3),
      hFeaLen: number("h_fea_len", 128),
      nH: number("n_h", 1),
    },
    featuriser: featuriser.toJSON(),
    featuriserHash: featuriser.hash,
    task,
    target: { name: metadata.target ?? "target" },
    notes: metadata.source === undefined ? {} : { source: metadata.source },
  };
}
