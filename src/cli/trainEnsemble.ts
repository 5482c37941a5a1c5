import { Ensemble } from "../train/ensemble.ts";
import { Mixture } from "../train/mixture.ts";
import type { Predictor } from "../train/predictor.ts";
import type { Split } from "../train/report.ts";
import { type EnsembleFile, RunFolder } from "./runFolder.ts";
import { type Answers, judge, type Outcome, type Setup, setUp, type TrainingOptions, trainOne } from "./trainOne.ts";

/**
 * Trains the members of an ensemble one after the other, each from its own seed and in a folder of its own, and judges them together.
 * The first is the model that there would be without the others. Undefined if it was interrupted.
 */
export async function trainEnsemble(
  first: Setup,
  options: TrainingOptions,
  note: (text: string) => void,
): Promise<Outcome | undefined> {
  const { config, folder, rng } = options;
  const count = config.ensemble!;
  // Before any training: a run that is resumed must draw the same.
  const rngs = Array.from({ length: count }, (_, m) => (m === 0 ? rng : rng.fork(m)));
  const members: (Outcome & { predictor: Predictor })[] = [];
  for (const [m, own] of rngs.entries()) {
    note(`member ${m + 1} of ${count}`);
    const place = new RunFolder(folder.file(`member${m + 1}`));
    place.create();
    const setup = m === 0 ? first : await setUp(config, first.parts, own);
    const outcome = await trainOne(setup, { ...options, rng: own, folder: place });
    if (!outcome) return undefined;
    members.push(outcome);
  }
  const answers = together(members.map((member) => member.answers));
  const { conformal, ...judged } = judge(first, answers);
  const file: EnsembleFile = {
    format: "spinel-ensemble",
    version: 1,
    members: members.map((_, m) => `member${m + 1}/model.safetensors`),
    conformal,
  };
  await folder.write("ensemble.json", `${JSON.stringify(file, null, 2)}\n`);
  const sum = (of: (member: Outcome) => number): number => members.reduce((total, member) => total + of(member), 0);
  return {
    ...members[0],
    ...judged,
    answers,
    predictor: new Ensemble(
      members.map(({ predictor }) => predictor),
      { conformal },
    ),
    run: { ...members[0].run, seconds: sum(({ run }) => run.seconds) },
    parameters: sum(({ parameters }) => parameters),
    baselines: [...members[0].baselines, { name: "a member, on average", metrics: average(members) }],
  };
}

/** The members' answers as one for each part. */
function together(all: readonly Answers[]): Answers {
  const splits = Object.keys(all[0]) as Split[];
  return Object.fromEntries(
    splits.map((split) => {
      const mixture = new Mixture();
      for (const answers of all) mixture.add(answers[split]!);
      return [split, mixture.result];
    }),
  );
}

/** The members' figures, averaged: the measure of what they gain by speaking together. */
function average(members: readonly Outcome[]): Outcome["baselines"][number]["metrics"] {
  const mean = (split: Split, metric: string): number =>
    members.reduce((sum, { figures }) => sum + figures[split]![metric], 0) / members.length;
  return Object.fromEntries(
    Object.entries(members[0].figures).map(([split, figures]) => [
      split,
      Object.fromEntries(Object.keys(figures).map((metric) => [metric, mean(split as Split, metric)])),
    ]),
  );
}
