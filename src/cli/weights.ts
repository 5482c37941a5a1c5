import { UserError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { openSafetensors } from "../io/safetensors.ts";
import { freeze, type Model, parameters, stateDict } from "../nn/index.ts";
import { fillFrom } from "../train/weights.ts";

/**
 * Gives a model the weights of a safetensors file (a PyTorch state dict, or a run's model), piece by piece. Those of its last
 * layer stay fresh where the file has others: another task has other classes.
 *
 * @returns the names of the weights that stay fresh
 * @throws UserError naming all that is missing, unexpected or mis-shaped
 */
export async function initialise(model: Model, file: string): Promise<string[]> {
  const stored = await openSafetensors(file);
  try {
    if (stored.metadata.fit)
      throw new UserError(`${file} is a checkpoint, not a model.`, "Give the model.safetensors of a finished run.");
    const head = lastLayer(model);
    const fresh = [...stateDict(model)].flatMap(([name, { shape }]) =>
      name.startsWith(head) && !sameShape(stored.entries.get(name)?.shape ?? [], shape) ? [name] : [],
    );
    const except = fresh.length > 0 ? matcher(`${head}*`) : undefined;
    await fillFrom(stored, model, { except });
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

/** How many parameters a model has, frozen or not. */
export const sizeOf = (model: object): number =>
  [...parameters(model, { frozen: true }).values()].reduce((sum, { size }) => sum + size, 0);

/** What the names of the last layer's weights begin with: "classifier.6.". */
function lastLayer(model: Model): string {
  const last = [...parameters(model, { frozen: true }).keys()].at(-1)!;
  return last.slice(0, last.lastIndexOf(".") + 1);
}

/**
 * Freezes the parameters whose names match one of the patterns, in which * stands for anything.
 *
 * @throws UserError for a pattern that matches none, and where none is left
 */
export function freezeByName(model: Model, patterns: readonly string[]): void {
  const names = [...parameters(model, { frozen: true }).keys()];
  for (const pattern of patterns) {
    if (!names.some((name) => matcher(pattern).test(name)))
      throw new UserError(
        `--freeze: no parameter is called ${JSON.stringify(pattern)}.`,
        `There are ${names.slice(0, 40).join(", ")}${names.length > 40 ? `, … (${names.length} in all)` : ""}; * stands for anything.`,
      );
    freeze(model, matcher(pattern));
  }
  if (parameters(model).size === 0)
    throw new UserError("--freeze: all parameters are frozen, and none is left to train.", "Freeze fewer.");
}

/** The names that a pattern stands for. */
function matcher(pattern: string): RegExp {
  const pieces = pattern.split("*").map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pieces.join(".*")}$`);
}
