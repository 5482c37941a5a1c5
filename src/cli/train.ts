import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { UserError } from "../core/errors.ts";
import { capabilities, init } from "../core/parallel.ts";
import { Rng } from "../core/random.ts";
import { completeConfig, type RunConfig } from "./config.ts";
import { fraction, list, natural, naturals, number, scheduleOption } from "./options.ts";
import { EMBEDDED, type Parts, prepareParts } from "./prepare.ts";
import { printFigures, type Results, writeResults } from "./results.ts";
import { freshFolder, RunFolder } from "./runFolder.ts";
import { type Outcome, trainOne } from "./trainOne.ts";
import { version } from "./version.ts";

interface Flags extends Record<string, unknown> {
  config?: string;
  out?: string;
  resume?: boolean;
  force?: boolean;
  quiet?: boolean;
  json?: boolean;
}

export function trainCommand(): Command {
  const command = new Command("train")
    .summary("train a model on a table")
    .description(
      "Trains a model on a table (CSV or JSON lines, .gz too) and writes a run folder: config.json, metrics.jsonl,\nmodel.safetensors, predictions.csv, report.html, checkpoint and TensorBoard events.",
    )
    .argument("[model]", "mlp or elemnet")
    .option("--data <file>", "table to learn from; embedded:ionic is generated, nothing to download")
    .option("--target <column>", "column to predict")
    .option("--unit <unit>", "the target's unit, for reports")
    .option("--val <file>", "validation table; without it a share of --data is held out")
    .option("--val-fraction <share>", "share of --data held out for validation (0.1)", fraction)
    .option("--test <file>", "test table, used once at the end")
    .option("--test-fraction <share>", "share of --data held out for the test", fraction)
    .option("--folds <k>", 'k-fold cross-validation; "matbench": the official five folds', folds)
    .addOption(new Option("--task <kind>", "default: by the target's values").choices(["regression", "classification"]))
    .option("--id <column>", "column that names rows")
    .option("--formula <column>", "column of chemical formulas (default: formula or composition)")
    .option("--numeric <columns>", 'numeric features, separated by commas; "*": all', list)
    .option("--categorical <columns>", "categorical features, separated by commas", list)
    .addOption(
      new Option("--features <kind>", "what is made of the formula").choices([
        "fractions",
        "allFractions",
        "magpie",
        "magpie+fractions",
        "cgcnn",
        "none",
      ]),
    )
    .option("--drop-missing", "leave out rows with missing values")
    .option("--delimiter <character>", "of CSV, where it is not obvious")
    .option("--hidden <sizes>", "mlp: hidden layers, e.g. 512,256", naturals)
    .option("--activation <name>", "mlp: relu, silu, gelu, tanh, …")
    .option("--dropout <share>", "mlp: share of activations dropped while training", number)
    .addOption(new Option("--norm <kind>", "mlp: normalisation of hidden layers").choices(["batch", "layer", "none"]))
    .option("--residual", "mlp: add each hidden layer's input to its output where sizes agree")
    .option("--epochs <n>", "passes over the training rows", natural)
    .option("--batch-size <n>", "rows in a minibatch", natural)
    .option("--lr <rate>", "learning rate", number)
    .addOption(new Option("--optimizer <name>").choices(["sgd", "adam", "adamw", "rmsprop", "adagrad"]))
    .option("--momentum <x>", "sgd and rmsprop", number)
    .option("--weight-decay <x>", "L2 (adamw: decoupled)", number)
    .option("--l1 <x>", "L1 penalty", number)
    .option("--schedule <name|json>", "constant, cosineAnnealing, oneCycle, step, …", scheduleOption)
    .addOption(new Option("--loss <kind>", "regression").choices(["mse", "l1", "huber"]))
    .option("--label-smoothing <x>", "classification", number)
    .option("--patience <n>", "stop after n epochs without improvement", natural)
    .option("--clip-norm <x>", "limit of the gradient's norm", number)
    .option("--clip-value <x>", "limit of each gradient element", number)
    .option("--ema <decay>", "moving average of the weights, e.g. 0.999", number)
    .option("--seed <n>", "one seed for split, weights, order and dropout (0)", number)
    .option("--threads <n>", "compute threads (default: the cores, at most 8); results do not depend on it", natural)
    .option("--deterministic", "the same bits on every engine: plain SIMD even where FMA is at hand")
    .option("--config <file>", "start from a config.json; other flags take precedence")
    .option("--out <folder>", "run folder (default: runs/MODEL-TARGET)")
    .option("--resume", "go on with the run in --out, to the same bits as if it had not been interrupted")
    .option("--force", "write into --out although it holds a run")
    .option("-q, --quiet", "no progress")
    .option("--json", "print the results as one JSON line")
    .addHelpText(
      "after",
      "\nExample:\n  spinel train elemnet --data formation.csv --target energy --unit eV/atom --epochs 50\n  spinel train --resume --out runs/elemnet-energy",
    );
  return command.action((model: string | undefined, flags: Flags) => train(model, flags));
}

function folds(text: string): number | "matbench" {
  return text === "matbench" ? "matbench" : natural(text);
}

/** Flags that say how to run, not what: no part of the configuration. */
const RUN_FLAGS = new Set(["config", "out", "resume", "force", "quiet", "json"]);

async function train(model: string | undefined, flags: Flags): Promise<void> {
  const { folder, config } = configure(model, flags);
  await execute(folder, config, flags);
}

/** Trains as the configuration says, into the folder. Used by `train` and `start`. */
export async function execute(folder: RunFolder, config: RunConfig, flags: Flags): Promise<Results | undefined> {
  const { resume = false } = flags;
  const quiet = flags.quiet || flags.json || false;
  const note = (text: string): void => void (quiet || process.stderr.write(`${text}\n`));
  if (resume && folder.has("results.json")) {
    note(`The run in ${folder.path} is finished: ${folder.file("report.html")}`);
    if (flags.json) process.stdout.write(`${JSON.stringify(folder.readJson("results.json"))}\n`);
    return undefined;
  }
  await init({ threads: config.threads, deterministic: config.deterministic });
  const rng = new Rng(config.seed);
  const parts = await prepareParts(config, rng.fork(1), note);
  await recordConfig(folder, config, resume);
  note(describe(config, parts[0]));
  const signal = interruptible(note);
  const started = performance.now();
  const outcomes: Outcome[] = [];
  for (const part of parts) {
    const own = part.fold === 0 ? folder : new RunFolder(folder.file(`fold${part.fold}`));
    own.create();
    if (part.fold > 0) note(`fold ${part.fold} of ${parts.length}`);
    const outcome = await trainOne({
      config,
      parts: part,
      rng: rng.fork(part.fold),
      folder: own,
      resume,
      quiet,
      signal,
    });
    if (!outcome) {
      const quoted = folder.path.includes(" ") ? `"${folder.path}"` : folder.path;
      process.stderr.write(
        `\nInterrupted; everything up to here is saved. Go on with:\n  spinel train --resume --out ${quoted}\n`,
      );
      process.exitCode = 130;
      return undefined;
    }
    outcomes.push(outcome);
  }
  const results = await writeResults(folder, config, outcomes, parts, (performance.now() - started) / 1000);
  if (flags.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  else printFigures(results, folder, config);
  return results;
}

function describe({ model, data }: RunConfig, { train, validation, test }: Parts): string {
  const { variant, threads } = capabilities();
  const sizes = [`${train.length} rows to learn from`, `${validation.length} to validate with`];
  if (test) sizes.push(`${test.length} to test with`);
  return `${model} on ${data}: ${sizes.join(", ")}; ${variant} kernels, ${threads} thread${threads > 1 ? "s" : ""}`;
}

/** The run's folder and its configuration: from --resume's folder, --config and flags, in rising order of precedence. */
function configure(model: string | undefined, flags: Flags): { folder: RunFolder; config: RunConfig } {
  const own = Object.fromEntries(Object.entries(flags).filter(([name]) => !RUN_FLAGS.has(name)));
  if (model !== undefined) own.model = model;
  if (flags.resume) {
    if (!flags.out) throw new UserError("--resume needs --out FOLDER, the run to go on with.");
    const folder = new RunFolder(flags.out);
    if (!folder.has("config.json"))
      throw new UserError(`There is no run in ${flags.out} (no config.json).`, "Start it without --resume.");
    const saved = folder.readJson("config.json") as Record<string, unknown>;
    const config = completeConfig(saved, folder.file("config.json"));
    for (const [name, value] of Object.entries(own))
      if (name !== "threads" && JSON.stringify(value) !== JSON.stringify((config as Record<string, unknown>)[name]))
        throw new UserError(
          `--resume: ${name} is ${JSON.stringify(value)} now but ${JSON.stringify((config as Record<string, unknown>)[name])} in ${folder.file("config.json")}.`,
          "A resumed run keeps its settings; leave the flag out, or start a new run.",
        );
    return { folder, config: own.threads ? { ...config, threads: own.threads as number } : config };
  }
  const base = flags.config ? readConfig(flags.config) : {};
  for (const [field, flag] of [
    ["model", "MODEL (mlp or elemnet)"],
    ["data", "--data FILE"],
    ["target", "--target COLUMN"],
  ] as const)
    if (own[field] === undefined && base[field] === undefined)
      throw new UserError(
        `spinel train needs ${flag}.`,
        "For example: spinel train mlp --data alloys.csv --target strength",
      );
  const config = completeConfig({ ...base, ...own }, flags.config ?? "spinel train");
  const folder = flags.out ? new RunFolder(flags.out) : freshFolder(`${config.model}-${config.target}`);
  if (folder.exists && !flags.force)
    throw new UserError(
      `${folder.path} is not empty.`,
      "Use --resume to go on with the run in it, --force to replace it, or another --out.",
    );
  return { folder, config };
}

function readConfig(file: string): Record<string, unknown> {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UserError(`--config ${file}: ${(error as Error).message}.`);
  }
  const { spinel: _version, sha256: _hashes, ...rest } = fields;
  return rest;
}

/** Writes config.json with the data's checksums; a resumed run compares them. */
async function recordConfig(folder: RunFolder, config: RunConfig, resumed: boolean): Promise<void> {
  const hashes: Record<string, string> = {};
  for (const file of [config.data, config.val, config.test])
    if (file && !file.startsWith(EMBEDDED)) hashes[file] = await sha256(file);
  if (resumed) {
    for (const [file, hash] of Object.entries(config.sha256 ?? {}))
      if (hashes[file] !== hash)
        throw new UserError(
          `${file} has changed since the run in ${folder.path} began.`,
          "Restore the file, or start a new run.",
        );
    return;
  }
  folder.create();
  folder.clear();
  await folder.write("config.json", `${JSON.stringify({ ...config, spinel: version, sha256: hashes }, null, 2)}\n`);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

/** The first Ctrl-C lets the step finish and the checkpoint be written; the second ends at once. */
function interruptible(note: (text: string) => void): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    note("\nStopping after this step … (again: at once)");
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}
