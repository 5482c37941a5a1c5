import type { NeighbourOptions } from "../../data/neighbours.ts";
import { choice, decimal, type State, whole } from "../kit/state.ts";

/** Crystals to look at before there are files. */
export const GALLERY = [
  "NaCl",
  "CsCl",
  "ZnS",
  "ZnO",
  "C",
  "CaF2",
  "TiO2",
  "Al2O3",
  "ReO3",
  "SrTiO3",
  "MgAl2O4",
  "CdI2",
] as const;
export type GalleryName = (typeof GALLERY)[number];

export const CUTOFF = { least: 1, most: 8, step: 0.1, unit: " Å" };
export const NEIGHBOURS = { least: 1, most: 24 };
export const CONVOLUTIONS = { least: 1, most: 5 };
export const EPOCHS = { least: 1, most: 500 };
export const LAST_SEED = 999_999;
export const CRYSTALS = [100, 250, 500, 1000, 2000] as const;
export const WIDTHS = [8, 16, 32, 64] as const;
export const BATCH_SIZES = [8, 16, 32, 64, 128] as const;
export const LEARNING_RATES = [0.0001, 0.0003, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1] as const;

/** What the page's controls set, with its limits: what the address holds. Files of one's own are not in it. */
export const FIELDS = {
  structure: choice(GALLERY, "NaCl"),
  /** Å. */
  cutoff: decimal(CUTOFF.least, CUTOFF.most, 1, 6),
  neighbours: whole(NEIGHBOURS.least, NEIGHBOURS.most, 6),
  shells: choice(["whole", "cut"], "whole"),
  /** Which edges are drawn; without any, bonds are. */
  edges: choice(["all", "atom", "none"], "all"),
  /** The atom whose neighbours are listed, from 1. */
  atom: whole(1, 999_999, 1),
  /** How many of the embedded crystals. */
  crystals: choice(CRYSTALS, 500),
  convolutions: whole(CONVOLUTIONS.least, CONVOLUTIONS.most, 2),
  width: choice(WIDTHS, 32),
  learningRate: choice(LEARNING_RATES, 0.01),
  batchSize: choice(BATCH_SIZES, 16),
  epochs: whole(EPOCHS.least, EPOCHS.most, 60),
  seed: whole(0, LAST_SEED, 1),
};

export type CrystalsState = State<typeof FIELDS>;

/** The data that the page's own files brought, and the column of them that is learned; otherwise the embedded crystals. */
export interface Source {
  data: "embedded" | "own";
  column?: string;
}

/** What one training depends on. */
export type TrainingConfig = Omit<CrystalsState, "structure" | "edges" | "atom"> & Source;

/** Controls that act on a network in training; the others wait for a new one. */
const LIVE: readonly (keyof TrainingConfig)[] = ["learningRate", "epochs"];

/** Whether a network of one configuration is also one of the other. */
export function sameNetwork(a: TrainingConfig, b: TrainingConfig): boolean {
  const unused: (keyof TrainingConfig)[] = a.data === "own" ? ["crystals"] : ["column"];
  return (Object.keys(a) as (keyof TrainingConfig)[]).every(
    (key) => LIVE.includes(key) || unused.includes(key) || a[key] === b[key],
  );
}

export type GraphSettings = Pick<CrystalsState, "cutoff" | "neighbours" | "shells">;

export const neighbourOptions = ({ cutoff, neighbours, shells }: GraphSettings): NeighbourOptions => ({
  cutoff,
  maxNeighbours: neighbours,
  shells,
});

export function trainingConfig({ structure, edges, atom, ...state }: CrystalsState, source: Source): TrainingConfig {
  return { ...state, ...source };
}
