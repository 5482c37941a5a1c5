import { UserError } from "../core/errors.ts";
import { capabilities, init } from "../core/parallel.ts";
import { Rng } from "../core/random.ts";
import { GraphDataset } from "../data/crystalGraph.ts";
import { isElementVectorKind } from "../data/elementVectors.ts";
import { Featuriser } from "../data/featuriser.ts";
import { PotentialDataset } from "../data/potentialDataset.ts";
import { parameterCount } from "../nn/index.ts";
import { formatCount } from "../train/progress.ts";
import { inOrder, type RunConfig } from "./config.ts";
import { isEmbedded, targetName } from "./embedded.ts";
import { areKnownVectors, describeFeatures } from "./featurisers.ts";
import { fingerprint } from "./fingerprint.ts";
import { readOrigin, withOrigin } from "./origin.ts";
import { prepareParts } from "./prepare.ts";
import { printFigures, type Results, writeResults } from "./results.ts";
import { RunFolder } from "./runFolder.ts";
import { PROGRAM, quoted } from "./shell.ts";
import { trainEnsemble } from "./trainEnsemble.ts";
import { type Outcome, type Setup, setUp, trainOne } from "./trainOne.ts";
import { trainTuned } from "./tune.ts";
import { version } from "./version.ts";
import { sizeOf } from "./weights.ts";

/** A run to be begun or, with `resume`, gone on with. */
export interface Plan {
  config: RunConfig;
  /** Default: a fresh one, runs/MODEL-TARGET. */
  folder?: RunFolder;
  resume: boolean;
}

/** Trains as planned; the results, unless it was interrupted. Used by `train` and `start`. */
export async function execute(plan: Plan, flags: { quiet?: boolean; json?: boolean }): Promise<Results | undefined> {
  const { resume } = plan;
  let { config } = plan;
  const quiet = flags.quiet || flags.json || false;
  const note = (text: string): void => void (quiet || process.stderr.write(`${text}\n`));
  if (resume && plan.folder?.has("results.json")) {
    note(`The run in ${plan.folder.path} is finished: ${plan.folder.file("report.html")}`);
    if (flags.json) process.stdout.write(`${JSON.stringify(JSON.parse(plan.folder.read("results.json")))}\n`);
    return undefined;
  }
  await init({ threads: config.threads, deterministic: config.deterministic });
  const rng = new Rng(config.seed);
  if (config.from !== undefined) config = withOrigin(config, await readOrigin(config.from));
  const parts = await prepareParts(config, rng.fork(1), note);
  if (config.target === "") config = { ...config, target: targetName(parts[0].all) };
  // Whatever is wrong with the data and the model comes to light before there is a folder.
  const firstRng = rng.fork(parts[0].fold);
  const first = await setUp(config, parts[0], firstRng);
  const { target, unit } = config;
  const folder = await record({ ...plan, config: { ...plan.config, target, unit } }, first, note);
  const signal = interruptible(note);
  for (const line of describe(config, first, folder)) note(line);
  const outcomes: Outcome[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.fold > 0) note(foldName(config, part.fold, parts.length));
    const own = part.fold === 0 ? folder : new RunFolder(folder.file(`fold${part.fold}`));
    own.create();
    const partRng = i === 0 ? firstRng : rng.fork(part.fold);
    const setup = i === 0 ? first : await setUp(config, part, partRng);
    const options = { config, rng: partRng, folder: own, resume, quiet, signal };
    const outcome = await (config.tune !== undefined
      ? trainTuned(part, options, note)
      : config.ensemble === undefined
        ? trainOne(setup, options)
        : trainEnsemble(setup, options, note));
    if (!outcome) {
      const again = `${PROGRAM} train --resume --out ${quoted(folder.path)}`;
      process.stderr.write(`\nInterrupted; everything up to here is saved. Go on with:\n  ${again}\n`);
      process.exitCode = signal.reason;
      return undefined;
    }
    outcomes.push(outcome);
  }
  const results = await writeResults(folder, config, outcomes);
  if (flags.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  else printFigures(results, folder, config);
  return results;
}

/** Matbench counts its folds from 0. */
const foldName = ({ matbench }: RunConfig, fold: number, folds: number): string =>
  matbench === undefined ? `fold ${fold} of ${folds}` : `fold_${fold - 1} of ${matbench}`;

/** The run in a few lines: rows, target, features, kernels, folder. */
function describe(config: RunConfig, first: Setup, folder: RunFolder): string[] {
  const { parts, task, featuriser } = first;
  const { train, validation, test, fold } = parts;
  const sizes = [`${train.length} rows to learn from`, `${validation.length} to validate with`];
  if (test) sizes.push(`${test.length} to test with${fold > 0 ? " in the first fold" : ""}`);
  const unused = train.unused.filter((name) => !config.ignore.includes(name));
  const { variant, threads } = capabilities();
  const { kind } = task.toJSON();
  const choose = train.structures || train.images ? "" : " (see --numeric, --categorical)";
  return [
    `${config.model} on ${config.data}: ${sizes.join(", ")}`,
    `  target    ${config.target}: ${kind}${train.classes ? ` (${train.classes.slice(0, 8).join(" | ")})` : ""}`,
    `  features  ${featuriser.width}: ${listed(describeFeatures(featuriser))}`,
    ...(unused.length > 0 ? [`  not used  ${listed(unused)}${choose}`] : []),
    ...isolatedAtoms(config, first),
    ...startingPoint(config, first),
    `  run       ${folder.path}; ${variant} kernels, ${threads} thread${threads > 1 ? "s" : ""}`,
  ];
}

/** Atoms farther than the radius from all others: a crystal graph network sees only what they are. */
function isolatedAtoms({ radius }: RunConfig, { data }: Setup): string[] {
  const sets = Object.values(data).filter((set) => set instanceof GraphDataset || set instanceof PotentialDataset);
  const count = sets.reduce((sum, { isolated }) => sum + isolated, 0);
  if (count === 0) return [];
  return [
    `  isolated  ${count} ${count === 1 ? "atom has" : "atoms have"} no neighbour within ${radius} Å (see --radius)`,
  ];
}

/** What the weights to start from have, and what stays as it is. */
function startingPoint({ from, init = from, freeze }: RunConfig, { fresh, model }: Setup): string[] {
  const frozen = sizeOf(model) - parameterCount(model);
  return [
    ...(init === undefined ? [] : [`  weights   of ${init}${fresh.length > 0 ? `; new: ${listed(fresh)}` : ""}`]),
    ...(freeze === undefined ? [] : [`  frozen    ${formatCount(frozen)} of ${formatCount(sizeOf(model))} parameters`]),
  ];
}

const listed = (names: readonly string[]): string =>
  names.length > 12 ? `${names.slice(0, 12).join(", ")}, … (${names.length} in all)` : names.join(", ");

/** The run's folder with its config.json. What a run goes on with, or repeats, must be the data it began with. */
async function record(
  plan: Plan,
  { parts, task, featuriser, architecture, fresh }: Setup,
  note: (text: string) => void,
): Promise<RunFolder> {
  const { config, resume } = plan;
  const tables = {
    data: parts.all,
    val: parts.validation,
    test: parts.test,
    atomVectors: undefined,
    elementVectors: undefined,
    references: undefined,
    init: undefined,
    from: undefined,
  };
  const sha256: Record<string, string> = {};
  for (const role of Object.keys(tables) as (keyof typeof tables)[]) {
    const file = config[role];
    if (
      !file ||
      isEmbedded(file) ||
      (role === "atomVectors" && areKnownVectors(file)) ||
      (role === "elementVectors" && isElementVectorKind(file))
    )
      continue;
    sha256[role] = await fingerprint(file, tables[role]);
    if ((config.sha256?.[role] ?? sha256[role]) === sha256[role]) continue;
    const changed = `${file} has changed since the run ${resume ? `in ${plan.folder!.path} began` : "of that configuration"}.`;
    if (resume) throw new UserError(changed, "Restore the file, or start a new run.");
    note(`${changed} The results will differ.`);
  }
  const kernels = capabilities().variant.replace("-threads", "");
  if (resume) {
    const then = `spinel ${config.spinel}, ${config.kernels} kernels`;
    const now = `spinel ${version}, ${kernels} kernels`;
    if (then !== now) note(`The run began with ${then} and goes on with ${now}: not to the same bits.`);
    return plan.folder!;
  }
  const folder = plan.folder ?? RunFolder.fresh(`${config.model}-${config.target}`);
  folder.create();
  folder.clear();
  const json = task.toJSON();
  const learned = {
    task: json.kind === "potential" ? undefined : json.kind,
    loss: "loss" in json ? json.loss : undefined,
  };
  // What comes with the model that a run starts from is read there again, and not written twice.
  const seen =
    config.from !== undefined
      ? { freshHead: fresh.length > 0 }
      : {
          ...(featuriser instanceof Featuriser ? { features: featuriser.spec.formula ?? ("none" as const) } : {}),
          head: architecture.model === "vgg" ? architecture.head : undefined,
        };
  const complete = inOrder({ ...config, ...learned, ...seen, spinel: version, kernels, sha256 });
  await folder.write("config.json", `${JSON.stringify(complete, null, 2)}\n`);
  return folder;
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/**
 * The first Ctrl-C, or request to end, lets the step finish and the checkpoint be written; one a second later ends at once (sooner
 * it is the same one, passed on by npm). The signal's reason is the exit status.
 */
export function interruptible(note: (text: string) => void): AbortSignal {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) return;
    note("\nStopping after this step … (again: at once)");
    controller.abort(SIGNALS[name as keyof typeof SIGNALS]);
    setTimeout(() => names.forEach((each) => process.off(each, stop)), 1000).unref();
  };
  const names = Object.keys(SIGNALS) as NodeJS.Signals[];
  for (const name of names) process.on(name, stop);
  return controller.signal;
}
