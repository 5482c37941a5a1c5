import { UserError } from "../core/errors.ts";
import { ionicTable } from "../data/ionic.ts";
import { ionicCrystals } from "../data/ionicCrystals.ts";
import { microstructures } from "../data/microstructures.ts";
import { mnist1d } from "../data/mnist1d.ts";
import { unknownName } from "../data/open.ts";
import type { Table } from "../data/table.ts";
import type { RunConfig } from "./config.ts";
import { needsImages } from "./models.ts";

/** Data that the package generates itself go by such names. */
const EMBEDDED = "embedded:";

interface Embedded {
  /** What can be set, as in embedded:microstructures?count=2000&size=48. */
  options?: readonly string[];
  make(options: Readonly<Record<string, number>>): { train: Table; test?: Table };
}

const DATA: Readonly<Record<string, Embedded>> = {
  "embedded:crystals": { make: () => ({ train: ionicCrystals() }) },
  "embedded:ionic": { make: () => ({ train: ionicTable() }) },
  "embedded:microstructures": {
    options: ["count", "size", "seed"],
    make: (options) => ({ train: microstructures(options) }),
  },
  "embedded:mnist1d": { make: () => mnist1d() },
};

export const EMBEDDED_NAMES: readonly string[] = Object.keys(DATA);

export const isEmbedded = (file: string): boolean => file.startsWith(EMBEDDED);

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
  if (model === "cgcnn" && !train.structures)
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
  const [only] = train.targets!.names;
  if (target !== only && !(train.images && target === ""))
    throw new UserError(
      target === "" ? "train needs --target COLUMN." : `${data} has no column "${target}".`,
      `Its target is "${only}".`,
    );
  return train;
}
