import { CrystalGraphFeaturiser } from "../data/crystalGraph.ts";
import type { ModelCard } from "./predictor.ts";

/** Of the model that matgl describes in its configuration, what shapes the network. */
interface InitArgs {
  dim_node_embedding: number;
  dim_edge_embedding: number;
  dim_state_embedding: number;
  nblocks: number;
  hidden_layer_sizes_input: number[];
  hidden_layer_sizes_conv: number[];
  hidden_layer_sizes_output: number[];
  niters_set2set: number;
  cutoff: number;
  element_types: string[] | null;
}

/** Elements that matgl's networks know where their configuration names none: all up to Pu but Po, At, Rn, Fr and Ra. */
const ELEMENTS_BY_DEFAULT = Array.from({ length: 94 }, (_, i) => i + 1).filter((z) => z < 84 || z > 88);

/**
 * matgl's Gaussians: centres from 0 to 5 Å, whatever the cutoff, and exp(−½(d − μ)²): the width of ½ Å in its configuration is used as
 * the coefficient.
 */
const gaussians = (count: number) => ({ start: 0, step: 5 / (count - 1), count, gamma: 0.5 });

const isMatgl = ({ model = "" }: Readonly<Record<string, string>>): boolean => model.startsWith("megnet (matgl");

/**
 * The card of a MEGNet that matgl trained, from its configuration and normaliser as a file's metadata has them (model, config);
 * undefined for other files.
 */
export function megnetCard(metadata: Readonly<Record<string, string>>): ModelCard | undefined {
  if (!isMatgl(metadata)) return undefined;
  const { kwargs } = JSON.parse(metadata.config) as {
    kwargs: { model: { init_args: InitArgs }; target_transformer?: string };
  };
  const a = kwargs.model.init_args;
  const [, mean = "0", std = "1"] = /Mean=\s*(\S+?),\s*Std:\s*(\S+)/.exec(kwargs.target_transformer ?? "") ?? [];
  const featuriser = new CrystalGraphFeaturiser({
    ...{ radius: a.cutoff, maxNeighbours: undefined, shells: "whole", pads: "mask", atoms: "numbers" },
    known: ELEMENTS_BY_DEFAULT,
  });
  return {
    format: "spinel-model",
    version: 1,
    architecture: {
      model: "megnet",
      outputs: 1,
      elements: ELEMENTS_BY_DEFAULT,
      embedding: a.dim_node_embedding,
      basis: gaussians(a.dim_edge_embedding),
      state: a.dim_state_embedding,
      blocks: a.nblocks,
      dense: a.hidden_layer_sizes_input,
      conv: a.hidden_layer_sizes_conv,
      set2set: { steps: a.niters_set2set, cellState: "kept" },
      head: a.hidden_layer_sizes_output,
    },
    featuriser: featuriser.toJSON(),
    featuriserHash: featuriser.hash,
    task: { kind: "regression", loss: "mse", mean: [Number(mean)], std: [Number(std)] },
    target: { name: metadata.target ?? "target" },
    notes: metadata.source === undefined ? {} : { source: metadata.source },
  };
}

/** What this library calls the weights that matgl calls otherwise; undefined for what it computes itself. */
const NAMES: readonly (readonly [pattern: RegExp, name: string | undefined])[] = [
  [/^(model\.)?bond_expansion\..*$/, undefined],
  [/^(model\.)?embedding\.layer_node_embedding\./, "embedding."],
  [/^model\./, ""],
];

/** The name of each weight in a file of matgl's; undefined for files of others. */
export function matglNames(
  metadata: Readonly<Record<string, string>>,
): ((name: string) => string | undefined) | undefined {
  if (!isMatgl(metadata)) return undefined;
  return (name) => {
    const [pattern, own] = NAMES.find(([p]) => p.test(name)) ?? [/^/, ""];
    return own === undefined ? undefined : name.replace(pattern, own);
  };
}
