import { flagOf, type RunConfig } from "./config.ts";
import { type Choice, choicesOf } from "./grid.ts";
import type { Parts } from "./prepare.ts";
import { RunFolder } from "./runFolder.ts";
import { type Outcome, setUp, type TrainingOptions, trainOne } from "./trainOne.ts";

/** "--lr 0.001 --n-conv 3" */
const described = (choice: Choice): string =>
  Object.entries(choice)
    .map(([field, value]) => `${flagOf(field)} ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(" ");

/**
 * Trains once for every choice of the configuration's grid, all from the same seed on the same rows, each in a folder of its own,
 * and keeps the model that is best on the validation rows; the test rows have no part in it. Undefined if it was interrupted.
 */
export async function trainTuned(
  parts: Parts,
  options: TrainingOptions,
  note: (text: string) => void,
): Promise<Outcome | undefined> {
  const { config, folder, rng } = options;
  const choices = choicesOf(config.tune!);
  let best: Awaited<ReturnType<typeof trainOne>>;
  let chosen: Choice = {};
  for (const [i, choice] of choices.entries()) {
    note(`choice ${i + 1} of ${choices.length}: ${described(choice)}`);
    const own: RunConfig = { ...config, ...choice };
    const at = new RunFolder(folder.file(`choice${i + 1}`));
    at.create();
    const outcome = await trainOne(await setUp(own, parts, rng), { ...options, config: own, folder: at });
    if (!outcome) return undefined;
    if (best === undefined || isBetter(outcome, best)) [best, chosen] = [outcome, choice];
  }
  note(`chosen: ${described(chosen)}`);
  await folder.write("model.safetensors", best!.predictor.toSafetensors());
  return { ...best!, chosen };
}

function isBetter({ run }: Outcome, than: Outcome): boolean {
  const { metric, mode } = run.task.monitor;
  const [own, other] = [Number(run.best[metric]), Number(than.run.best[metric])];
  return mode === "min" ? own < other : own > other;
}
