import { UserError } from "../core/errors.ts";
import { ionicTable } from "../data/ionic.ts";
import { ionicCrystals, MADELUNG_TARGET, withMadelung } from "../data/ionicCrystals.ts";
import { karate } from "../data/karate.ts";
import { microstructures } from "../data/microstructures.ts";
import { mnist1d } from "../data/mnist1d.ts";
import { nBody } from "../data/nbody.ts";
import { nodeTable } from "../data/nodeGraph.ts";
import { unknownName } from "../data/open.ts";
import { pointClouds } from "../data/pointClouds.ts";
import type { Table } from "../data/table.ts";
import type { RunConfig } from "./config.ts";
import { needsImages, needsStructures } from "./models.ts";
import { isMotion, NBODY } from "./motion.ts";

/** Data that the package generates itself go by such names. */
const EMBEDDED = "embedded:";

interface Embedded {
  /** What can be set, as in embedded:microstructures?count=2000&size=48. */
  options?: readonly string[];
  /** It has one target, or one set of them, and the run need not name it. */
  knowsTarget?: boolean;
  /** The same rows with another target. */
  others?: Readonly<Record<string, (table: Table) => Table>>;
  make(options: Readonly<Record<string, number>>): { train: Table; test?: Table };
}

const DATA: Readonly<Record<string, Embedded>> = {
  "embedded:crystals": {
    options: ["count", "seed"],
    others: { [MADELUNG_TARGET]: withMadelung },
    make: (options) => ({ train: ionicCrystals(options) }),
  },
  "embedded:ionic": { make: () => ({ train: ionicTable() }) },
  "embedded:karate": { make: () => ({ train: nodeTable(karate()) }) },
  "embedded:microstructures": {
    options: ["count", "size", "seed"],
    make: (options) => ({ train: microstructures(options) }),
  },
  "embedded:mnist1d": { make: () => mnist1d() },
  [NBODY]: {
    options: ["count", "seed"],
    knowsTarget: true,
    make: ({ count = 5000, seed = 43 }) => ({
      get train() {
        return nBody({ count, seed });
      },
      get test() {
        return nBody({ count: Math.min(count, 2000), seed: seed + 1 });
      },
    }),
  },
  "embedded:pointclouds": {
    options: ["count", "points", "seed"],
    knowsTarget: true,
    make: (options) => ({ train: pointClouds(options) }),
  },
};

export const EMBEDDED_NAMES: readonly string[] = Object.keys(DATA);

export const isEmbedded = (file: string): boolean => file.startsWith(EMBEDDED);

/** Whether a run on these data need not say what to predict. */
export const knowsTarget = (file: string): boolean => DATA[file.split("?", 1)[0]]?.knowsTarget ?? false;

/** What a table's targets are called together: x1 … z5. */
export const targetName = ({ targets }: Pick<Table, "targets">): string => {
  const { names } = targets!;
  return names.length > 1 ? `${names[0]} … ${names.at(-1)}` : names[0];
};

/** Generated rows to learn from and, where they are part of the data set, to test with. */
export function embedded(file: string): { train: Table; test?: Table } {
  const [name, query = ""] = file.split("?", 2);
  const data = DATA[name];
  if (!data) throw new UserError(`There are no embedded data "${name}".`, `There are ${EMBEDDED_NAMES.join(", ")}.`);
  const options: Record<string, number> = {};
  for (const [key, value] of new URLSearchParams(query)) {
    if (!data.options?.includes(key))
      throw data.options
        ? unknownName(`${name} has no option`, key, data.options)
        : new UserError(`${name} has no options: ${JSON.stringify(`?${query}`)} means nothing to it.`);
    if (!(/^\d+$/.test(value) && Number(value) < 2 ** 31))
      throw new UserError(`${file}: ${key} must be a whole number, not ${JSON.stringify(value)}.`);
    options[key] = Number(value);
  }
  return data.make(options);
}

/** Embedded rows to learn from, if they are of the kind that the run's model and target ask for. */
export function embeddedRows({ data, target, model }: RunConfig): Table {
  const { train } = embedded(data);
  if (train.nodes)
    throw new UserError(`${data} is a graph; ${model} does not learn from its nodes.`, "Train gcn, gat, sage or gin.");
  const moving = isMotion({ data });
  if (moving && model !== "egnn" && model !== "gnn")
    throw new UserError(`${data} are moving particles; ${model} does not learn from them.`, "Train egnn or gnn.");
  if (train.structures && !train.formulas && model !== "pointnet")
    throw new UserError(`${data} are points and no atoms.`, "Train pointnet, or use embedded:crystals.");
  if (needsStructures(model) && !train.structures && !moving)
    throw new UserError(
      train.images ? `${data} are images and no structures.` : `${data} has formulas and no structures.`,
      "Use embedded:crystals, or train an mlp.",
    );
  if (model === "elemnet" && train.images)
    throw new UserError(`${data} are images; elemnet learns from formulas.`, "Train lenet, tinyvgg, cnn1d or an mlp.");
  if (needsImages(model) && !train.images)
    throw new UserError(
      `${data} are no images; ${model} needs some.`,
      "Use embedded:microstructures, or train an mlp.",
    );
  const { others = {} } = DATA[data.split("?", 1)[0]];
  if (others[target]) return others[target](train);
  const only = targetName(train);
  if (target !== only && !((train.images || knowsTarget(data)) && target === ""))
    throw new UserError(
      target === "" ? "train needs --target COLUMN." : `${data} has no column "${target}".`,
      `Its target is ${[only, ...Object.keys(others)].map((name) => JSON.stringify(name)).join(" or ")}.`,
    );
  return train;
}
