import { UserError } from "../core/errors.ts";
import { ownersOf } from "./models.ts";

/** Values to try of fields of a configuration. */
export type Grid = Readonly<Record<string, readonly unknown[]>>;

/** One value for each of them. */
export type Choice = Readonly<Record<string, unknown>>;

/** What can be tuned beside what only some models have: how a model is trained, not what it is given. */
const TUNABLE: readonly string[] = [
  ...["freeze", "activation", "epochs", "batchSize", "lr", "optimizer", "lookahead", "momentum", "weightDecay", "l1"],
  ...["schedule", "loss", "labelSmoothing", "patience", "clipNorm", "clipValue", "ema", "swa"],
];

/** Every combination of a grid's values; those of its last field vary fastest. @throws UserError for a field that is not to be tuned */
export function choicesOf(grid: Grid): Choice[] {
  let all: Choice[] = [{}];
  for (const [field, values] of Object.entries(grid)) {
    if (!TUNABLE.includes(field) && ownersOf(field) === undefined)
      throw new UserError(
        `--tune: ${JSON.stringify(field)} is not to be tuned.`,
        `Fields of config.json can be: those that shape the model, and ${TUNABLE.join(", ")}.`,
      );
    if (values.length === 0) throw new UserError(`--tune: there are no values of ${field} to try.`);
    all = all.flatMap((choice) => values.map((value) => ({ ...choice, [field]: value })));
  }
  return all;
}
