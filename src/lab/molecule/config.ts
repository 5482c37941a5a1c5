import { choice, flag, type State, whole } from "../kit/state.ts";
import type { MoleculeName } from "./molecules.ts";

export const MOLECULE_TEXT: Record<MoleculeName, string> = {
  water: "Water, H₂O",
  ammonia: "Ammonia, NH₃",
  methane: "Methane, CH₄",
  ethanol: "Ethanol, C₂H₅OH",
};

export const FRAMES = [50, 100, 200, 400] as const;
export const WIDTHS = [16, 32, 64] as const;
export const LEARNING_RATES = [0.0005, 0.001, 0.002, 0.005, 0.01] as const;
export const EPOCHS = { least: 1, most: 500 };
/** K */
export const TEMPERATURE = { least: 10, most: 800, step: 10, unit: " K" };
/** fs */
export const TIME_STEPS = [0.25, 0.5, 1, 2] as const;
export const LAST_SEED = 999_999;

/** What the controls of the molecule set. */
export const MOLECULE_FIELDS = {
  molecule: choice(Object.keys(MOLECULE_TEXT) as MoleculeName[], "ethanol"),
  /** Frames to learn from; a quarter as many more validate. */
  frames: choice(FRAMES, 200),
  /** Numbers of an atom's vector. */
  basis: choice(WIDTHS, 32),
  rate: choice(LEARNING_RATES, 0.005),
  rounds: whole(EPOCHS.least, EPOCHS.most, 60),
  potentialSeed: whole(0, LAST_SEED, 1),
  /** Whose forces move the atoms. */
  forces: choice(["network", "reference"], "network"),
  temperature: whole(TEMPERATURE.least, TEMPERATURE.most, 300),
  /** With a heat bath (Langevin), or at constant energy. */
  bath: flag(false),
  timeStep: choice(TIME_STEPS, 0.5),
};

export type MoleculeState = State<typeof MOLECULE_FIELDS>;

const TRAINING = ["molecule", "frames", "basis", "rate", "rounds", "potentialSeed"] as const;
/** What one training of a potential depends on. */
export type PotentialConfig = Pick<MoleculeState, (typeof TRAINING)[number]>;

export const potentialConfig = (state: MoleculeState): PotentialConfig =>
  Object.fromEntries(TRAINING.map((key) => [key, state[key]])) as PotentialConfig;

/** Whether a network of one configuration is also one of the other: rate and rounds may change in training. */
export const samePotential = (a: PotentialConfig, b: PotentialConfig): boolean =>
  TRAINING.every((key) => key === "rate" || key === "rounds" || a[key] === b[key]);

/** What one simulation depends on. */
export type SimulationConfig = Pick<MoleculeState, "molecule" | "forces" | "temperature" | "bath" | "timeStep">;

export const simulationConfig = (state: MoleculeState): SimulationConfig => {
  const { molecule, forces, temperature, bath, timeStep } = state;
  return { molecule, forces, temperature, bath, timeStep };
};
