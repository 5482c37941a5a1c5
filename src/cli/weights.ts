import { UserError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { openSafetensors, type SafetensorsFile } from "../io/safetensors.ts";
import { type Architecture, headOf } from "../models/index.ts";
import { freeze, type Model, parameters, stateDict } from "../nn/index.ts";
import { matglNames } from "../train/megnetCard.ts";
import { fillFrom } from "../train/weights.ts";

/** What becomes of the last layer where weights are given to start from. */
export type Head = "fresh" | "keep" | "where it fits";

/**
 * Gives a model the weights of a safetensors file (a PyTorch state dict, or a run's model), piece by piece. Those of its last
 * layer (`headOf`) stay as they are made where they are to be fresh, or where the file has others: another task has other classes.
 *
 * @returns the names of the weights that stay fresh
 * @throws UserError naming all that is missing, unexpected or mis-shaped
 */
export async function initialise(
  model: Model,
  architecture: Architecture,
  { file, head = "where it fits" }: { file: string; head?: Head },
): Promise<string[]> {
  const stored = await openSafetensors(file);
  try {
    if (stored.metadata.fit)
      throw new UserError(`${file} is a checkpoint, not a model.`, "Give the model.safetensors of a finished run.");
    const own = headOf(architecture);
    const fresh = head === "fresh" || (head === "where it fits" && !fits(own, model, stored)) ? [...own] : [];
    await fillFrom(stored, model, { except: fresh.length > 0 ? oneOf(fresh) : undefined, names: namesIn(stored) });
    return fresh;
  } catch (error) {
    if (!(error instanceof UserError && error.message.startsWith("These weights"))) throw error;
    const [what] = error.message.split("\n");
    throw new UserError(
      what.replace("These weights", `The weights of ${file}`),
      "They are of another architecture or other sizes: see --head, --channels and --image-size.",
    );
  } finally {
    await stored.close();
  }
}

const namesIn = ({ metadata }: SafetensorsFile): ((name: string) => string | undefined) | undefined =>
  matglNames(metadata);

/** Whether a file has all of these weights of a model in their shapes. */
function fits(names: ReadonlySet<string>, model: Model, stored: SafetensorsFile): boolean {
  const entries = new Map([...stored.entries].map(([name, entry]) => [(namesIn(stored) ?? String)(name), entry]));
  return [...stateDict(model)].every(
    ([name, { shape }]) => !names.has(name) || sameShape(entries.get(name)?.shape ?? [], shape),
  );
}

/** How many parameters a model has, frozen or not. */
export const sizeOf = (model: object): number =>
  [...parameters(model, { frozen: true }).values()].reduce((sum, { size }) => sum + size, 0);

/**
 * Freezes the parameters whose names match one of the patterns, in which * stands for anything; "body" are all but the last layer's.
 *
 * @throws UserError for a pattern that matches none, and where none is left
 */
export function freezeByName(model: Model, architecture: Architecture, patterns: readonly string[]): void {
  const names = [...parameters(model, { frozen: true }).keys()];
  for (const pattern of patterns) {
    if (pattern === "body") {
      const head = headOf(architecture);
      freeze(model, oneOf(names.filter((name) => !head.has(name))));
      continue;
    }
    if (!names.some((name) => matcher(pattern).test(name)))
      throw new UserError(
        `--freeze: no parameter is called ${JSON.stringify(pattern)}.`,
        `There are ${names.slice(0, 40).join(", ")}${names.length > 40 ? `, … (${names.length} in all)` : ""}; * stands for anything, body for all but the last layer.`,
      );
    freeze(model, matcher(pattern));
  }
  if (parameters(model).size === 0)
    throw new UserError("--freeze: all parameters are frozen, and none is left to train.", "Freeze fewer.");
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The names that a pattern stands for. */
const matcher = (pattern: string): RegExp => new RegExp(`^${pattern.split("*").map(escaped).join(".*")}$`);

const oneOf = (names: readonly string[]): RegExp => new RegExp(`^(?:${names.map(escaped).join("|")})$`);
