import { choice, type Field, list, type State, whole } from "../kit/state.ts";
import { MOLECULE_FIELDS } from "../molecule/config.ts";
import { drawingField } from "./drawing.ts";
import {
  BATCH_SIZES,
  COUNTS,
  DEPTHS,
  EPOCHS,
  KINDS,
  LAST_SEED,
  LAYERS,
  type LayerKind,
  LEARNING_RATES,
  MOST_NEIGHBOURS,
  STEPS,
  TASKS,
  type Task,
  UPDATE_TEXT,
  type Update,
  WIDTHS,
} from "./options.ts";
import { PRESETS } from "./presets.ts";

const keys = <K extends string>(table: Record<K, unknown>): K[] => Object.keys(table) as K[];

/** Numbers of a neighbourhood: "1_3". */
const neighbourhood: Field<readonly number[]> = {
  initial: [1],
  read(text) {
    const values = text.split("_").map((part) => (/^-?\d{1,2}(\.\d)?$/.test(part) ? Number(part) : Number.NaN));
    return values.length <= MOST_NEIGHBOURS && values.every(Number.isFinite) ? values : undefined;
  },
  write: (values) => values.join("_"),
};

/** By turns a left and a right one: pairs that the mean, the maximum and the sum confuse. */
export const PAIRS: readonly (readonly number[])[] = [[1, 3], [0, 2, 4], [1, 4], [2, 4], [4], [2, 2]];

/** What the page's controls set, with its limits: what the address holds. */
export const FIELDS = {
  graph: drawingField(PRESETS.triangles.drawing),
  /** Of the message passing. */
  aggregation: choice(KINDS, "mean"),
  update: choice(keys<Update>(UPDATE_TEXT), "average"),
  /** Of its phases: 0 is the beginning, then each step gathers, aggregates and updates. */
  phase: whole(0, 3 * STEPS, 1),
  pairs: list(neighbourhood, { least: 6, most: 6 }, PAIRS),
  task: choice(keys<Task>(TASKS), "ring"),
  /** Molecules to learn from; a quarter as many more validate. */
  count: choice(COUNTS, 200),
  layer: choice(keys<LayerKind>(LAYERS), "gin"),
  readout: choice(KINDS, "sum"),
  depth: choice(DEPTHS, 3),
  width: choice(WIDTHS, 16),
  learningRate: choice(LEARNING_RATES, 0.003),
  batchSize: choice(BATCH_SIZES, 16),
  epochs: whole(EPOCHS.least, EPOCHS.most, 60),
  seed: whole(0, LAST_SEED, 1),
  ...MOLECULE_FIELDS,
};

export type GraphsState = State<typeof FIELDS>;

const TRAINING = [
  ...(["task", "count", "layer", "readout", "depth", "width", "learningRate", "batchSize", "epochs", "seed"] as const),
];
/** What one training depends on. */
export type TrainingConfig = Pick<GraphsState, (typeof TRAINING)[number]>;

/** Controls that act on a network in training; the others wait for a new one. */
const LIVE: readonly (keyof TrainingConfig)[] = ["learningRate", "epochs"];

export const trainingConfig = (state: GraphsState): TrainingConfig =>
  Object.fromEntries(TRAINING.map((key) => [key, state[key]])) as TrainingConfig;

/** Whether a network of one configuration is also one of the other. */
export const sameNetwork = (a: TrainingConfig, b: TrainingConfig): boolean =>
  TRAINING.every((key) => LIVE.includes(key) || a[key] === b[key]);
