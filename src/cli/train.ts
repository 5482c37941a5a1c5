import { Command, Option } from "commander";
import { UserError } from "../core/errors.ts";
import { AUGMENT_PRESETS } from "../data/augment.ts";
import { completeConfig, type Fields, flagOf, readConfig, runConfig, WRITTEN } from "./config.ts";
import { EMBEDDED_NAMES } from "./embedded.ts";
import { execute, type Plan } from "./execute.ts";
import { MODEL_LIST } from "./models.ts";
import { hiddenSizes, imageSize, list, natural, number } from "./options.ts";
import { modelFile, RunFolder } from "./runFolder.ts";

/** The fields of a configuration, and what is done with the run. */
export interface RunFlags extends Fields {
  config?: string;
  out?: string;
  resume?: boolean;
  force?: boolean;
  quiet?: boolean;
  json?: boolean;
}

const choice = (
  flags: string,
  description: string,
  field:
    | "task"
    | "features"
    | "norm"
    | "optimizer"
    | "loss"
    | "shells"
    | "pads"
    | "aggregator"
    | "fit"
    | "head"
    | "readout",
): Option => new Option(flags, description).choices(runConfig.entries[field].wrapped.options);

export function trainCommand(): Command {
  return new Command("train")
    .summary("train on tables, crystals, graphs, images")
    .description(
      "Trains a model on a table (CSV or JSON lines, .gz too) or, cgcnn, on crystal structures (a folder with id_prop.csv and CIF, POSCAR or other files, a zip of them, JSON lines, Matbench's JSON, extended xyz) or, vgg11 to cnn1d, on images and signals (a folder CLASS/*.png, IDX, a CSV of pixels) and writes a run folder: config.json, metrics.jsonl, model.safetensors, predictions.csv, results.json, report.html, a checkpoint and TensorBoard events.",
    )
    .argument("[model]", MODEL_LIST)
    .optionsGroup("Data:")
    .option(
      "--data <file>",
      `table, file or folder to learn from; ${EMBEDDED_NAMES.join(", ")} are generated, nothing to download`,
    )
    .option("--target <column>", "column to predict (images: their class)")
    .option(
      "--energy <key>",
      "schnet, painn, egnn: train a potential on the energies of this name (eV), as frames of extended xyz have them",
    )
    .option("--forces <key>", "and on the forces (eV/Å): F = −∂E/∂r")
    .option("--stress <key>", "and on the stress (eV/Å³, nine numbers or six: xx yy zz yz xz xy)")
    .option("--references <file>", "energies of isolated atoms, an xyz file (default: of those in --data, or fitted)")
    .option("--unit <unit>", "the target's unit, for reports")
    .option("--val <file>", "validation data; without them a share of --data is held out")
    .option("--val-fraction <share>", "share of --data held out for validation (0.1)", number)
    .option("--test <file>", "test data, used once at the end")
    .option("--test-fraction <share>", "share of --data held out for the test", number)
    .option("--folds <k>", 'k-fold cross-validation; "matbench": the official five folds', folds)
    .addOption(choice("--task <kind>", "default: by the target's values", "task"))
    .option("--id <column>", "column that names rows")
    .option("--drop-missing", "leave out rows with missing values")
    .option("--skip-bad", "leave out structures and images that cannot be read or used, and list them")
    .option("--delimiter <character>", "of CSV, where it is not obvious")
    .optionsGroup("Features:")
    .option("--formula <column>", "column of chemical formulas (default: formula or composition)")
    .addOption(choice("--features <kind>", "what is made of the formula (mlp: magpie, elemnet: fractions)", "features"))
    .option("--numeric <columns>", 'numeric features, separated by commas; "*": all', list)
    .option("--categorical <columns>", "categorical features, separated by commas", list)
    .option("--ignore <columns>", "columns to leave alone, separated by commas", list)
    .option(
      "--radius <Å>",
      "crystals: atoms farther apart are no neighbours (cgcnn, alignn: 8, schnet, megnet, mpnn: 5)",
      number,
    )
    .option("--max-neighbours <n>", "crystals: of an atom, the nearest ones (cgcnn, alignn: 12, others: all)", natural)
    .addOption(
      choice(
        "--shells <kind>",
        "crystals: cut equally distant neighbours off, or keep whole shells (cgcnn: cut)",
        "shells",
      ),
    )
    .addOption(
      choice(
        "--pads <kind>",
        "cgcnn: where neighbours are missing: leave them out, or fill up as the authors do (mask)",
        "pads",
      ),
    )
    .option(
      "--element-vectors <kind>",
      "crabnet: descriptors, onehot, or a table like mat2vec.csv: symbol, numbers … (descriptors)",
    )
    .option("--drop-unary", "crabnet: leave pure elements out of the training rows")
    .option("--atom-vectors <kind>", "cgcnn, alignn: cgcnn, onehot, or a file like atom_init.json (cgcnn)")
    .optionsGroup("Images:")
    .option("--image-size <HxW>", "bring all images to this size, in pixels", imageSize)
    .addOption(choice("--fit <kind>", "to that size: stretch, or crop the middle out (stretch)", "fit"))
    .option(
      "--channels <n>",
      "1: grey, 3: colour (default: as in the images, with --init as its weights were learned)",
      number,
    )
    .option(
      "--gamma <x>",
      "raise brightness, 0 to 1, to this power; 0.5 lets weak peaks of a pattern count (1)",
      number,
    )
    .option(
      "--augment <text>",
      `vary the training images: ${Object.keys(AUGMENT_PRESETS).join(", ")}, or e.g. flip,rotate:10,shift:2,zoom:0.9:1.1`,
    )
    .optionsGroup("Model:")
    .option(
      "--init <weights>",
      "start from a safetensors file of weights; of another number of classes, all but the last layer",
    )
    .option("--freeze <patterns>", 'leave weights as they are, by name, e.g. "features.*", separated by commas', list)
    .addOption(
      choice("--head <kind>", "vgg: imagenet, of three layers (from 224x224), or cifar, of one (below)", "head"),
    )
    .option("--heads <n>", "gat: attention heads of hidden layers (8)", natural)
    .addOption(
      choice("--aggregator <kind>", "sage: the neighbours' mean, or the maximum over a layer of each", "aggregator"),
    )
    .option("--width <n>", "tinyvgg: channels of its convolutions (10), crabnet: of an element's vector (512)", natural)
    .option("--atom-fea-len <n>", "cgcnn: width of an atom's vector (64)", natural)
    .option("--n-conv <n>", "cgcnn: convolutions (3)", natural)
    .option("--h-fea-len <n>", "cgcnn: width of the layers after pooling (128)", natural)
    .option("--n-h <n>", "cgcnn: layers after pooling (1)", natural)
    .option("--n-atom-basis <n>", "schnet, painn, egnn: width of an atom's vector (128; of a particle's 64)", natural)
    .option("--n-interactions <n>", "schnet, painn, egnn: interaction blocks (3; egnn: 4)", natural)
    .option("--embedding <n>", "megnet, mpnn: width of an element's vector (megnet: 64, mpnn: 32)", natural)
    .option("--n-blocks <n>", "megnet: blocks, mpnn: rounds of messages (3)", natural)
    .option("--alignn-layers <n>", "alignn: layers that see angles (4)", number)
    .option("--gcn-layers <n>", "alignn: layers after these, of bonds alone (4)", number)
    .option("--hidden-features <n>", "alignn: width of atoms, bonds and angles (256)", natural)
    .option("--n-rbf <n>", "schnet, megnet, mpnn: Gaussians of the distance (25)", natural)
    .option("--points <n>", "pointnet: points of a cloud, picked at random of a larger one (128)", natural)
    .option("--feature-transform", "pointnet: a learned matrix for the points' features, too")
    .addOption(
      choice(
        "--readout <kind>",
        "schnet, painn, egnn: a structure's value is its atoms' sum, or mean, or is made of their pooled vectors (schnet: pooled, others: mean)",
        "readout",
      ),
    )
    .option(
      "--hidden <sizes>",
      "mlp: hidden layers, e.g. 512,256; none: logistic or linear regression (256,256); crabnet: of its head (1024,512,256,128)",
      hiddenSizes,
    )
    .option("--activation <name>", "mlp: relu, silu, gelu, tanh, … (silu)")
    .option(
      "--dropout <share>",
      "share of activations dropped while training (mlp: 0, elemnet: the paper's, crabnet: 0.1, cgcnn: 0, classification 0.5, vgg with its head of three layers: 0.5)",
      number,
    )
    .addOption(choice("--norm <kind>", "mlp: normalisation of hidden layers", "norm"))
    .option("--residual", "mlp: add each hidden layer's input to its output where sizes agree")
    .option("--energy-weight <x>", "potentials: of the energy per atom in the loss (1)", number)
    .option("--forces-weight <x>", "potentials: of the forces (1)", number)
    .option("--stress-weight <x>", "potentials: of the stress times the volume per atom (0.1)", number)
    .optionsGroup("Training:")
    .option(
      "--epochs <n>",
      "passes over the training rows (mlp: 100, elemnet: 200, crabnet: 40, cgcnn: 60, other networks of crystals: 100, potentials: 300, vgg: 30, lenet: 20, tinyvgg: 50, cnn1d: 200)",
      natural,
    )
    .option(
      "--batch-size <n>",
      "rows in a minibatch (mlp, vgg, lenet: 64, elemnet, tinyvgg, networks of crystals: 32, crabnet, cgcnn: 128, cnn1d: 100, potentials: 10)",
      natural,
    )
    .option(
      "--lr <rate>",
      "learning rate (mlp, lenet, tinyvgg, vgg with batch norm: 0.001, elemnet, vgg: 0.0001, crabnet: 0.0005, cgcnn: 0.005, networks of crystals: 0.002, alignn, potentials: 0.001, cnn1d: 0.01)",
      number,
    )
    .addOption(
      choice(
        "--optimizer <name>",
        "elemnet, lenet, tinyvgg, cnn1d, potentials, nodes of graphs: adam, others: adamw",
        "optimizer",
      ),
    )
    .option("--lookahead", "go back half of the way after every six steps")
    .option("--momentum <x>", "of sgd and rmsprop", number)
    .option("--weight-decay <x>", "L2 (adamw: decoupled)", number)
    .option("--l1 <x>", "L1 penalty", number)
    .option(
      "--schedule <name|json>",
      "constant, cosineAnnealing, oneCycle, … (mlp, lenet, tinyvgg: cosineAnnealing, elemnet, cnn1d, nodes of graphs: constant, others: oneCycle)",
    )
    .addOption(
      choice(
        "--loss <kind>",
        "regression: l1 by default, crabnet: robustL1, which predicts its own deviation, too",
        "loss",
      ),
    )
    .option("--label-smoothing <x>", "classification", number)
    .option("--patience <n>", "stop after n epochs without improvement", natural)
    .option(
      "--ensemble <n>",
      "train so many models from different seeds; they predict together, with deviations",
      number,
    )
    .option("--clip-norm <x>", "limit of the gradient's norm", number)
    .option("--clip-value <x>", "limit of each gradient element", number)
    .option("--ema <decay>", "moving average of the weights, e.g. 0.999", number)
    .option("--swa <share>", "mean of the weights of the epochs after this share of them", number)
    .option("--seed <n>", "one seed for split, weights, order and dropout (0)", number)
    .optionsGroup("Run:")
    .option("--threads <n>", "compute threads (default: the cores, at most 8); results do not depend on it", natural)
    .option("--deterministic", "the same bits on every engine: plain SIMD even where FMA is at hand")
    .option("--config <file>", "start from a config.json; other flags take precedence")
    .option("--out <folder>", "run folder (default: a new one, runs/MODEL-TARGET)")
    .option("--resume", "go on with the run in --out, to the same bits as if it had not been interrupted")
    .option("--checkpoint-seconds <s>", "seconds between checkpoints (10, crabnet: 60)", number)
    .option("--force", "replace the run in --out")
    .option("-q, --quiet", "no progress")
    .option("--json", "print the results as one JSON line")
    .addHelpText(
      "after",
      "\nExamples:\n  spinel train cgcnn --data my-cifs --target energy --unit eV/atom\n  spinel train elemnet --data formation.csv --target energy --unit eV/atom --epochs 50\n  spinel train mlp --data steels.csv --target strength --unit MPa --folds 5\n  spinel train --resume --out runs/elemnet-energy",
    )
    .action((model: string | undefined, flags: RunFlags) => train(model, flags));
}

/** The options of `train` for those of the fields that another command has, too. */
export const trainOptions = (wanted: (field: string) => boolean): Option[] =>
  trainCommand().options.filter((option) => wanted(option.attributeName()));

const folds = (text: string): number | "matbench" => (text === "matbench" ? text : number(text));

async function train(model: string | undefined, flags: RunFlags): Promise<void> {
  const { init } = flags;
  await run({
    ...flags,
    ...(model === undefined ? {} : { model }),
    ...(typeof init === "string" && init !== "" ? { init: modelFile(init) } : {}),
  });
}

/** Begins the run that flags ask for, or goes on with it. */
export async function run({ config: file, out, resume, force, quiet, json, ...own }: RunFlags): Promise<void> {
  const base = file === undefined ? undefined : { file, fields: readConfig(file) };
  if (resume && out === undefined) throw new UserError("--resume needs --out FOLDER: the run to go on with.");
  if (out === "") throw new UserError("--out needs the name of a folder.");
  const folder = out === undefined ? undefined : new RunFolder(out);
  const plan = resume && folder?.has("config.json") ? goOn(folder, { ...base?.fields, ...own }) : begin();
  await execute(plan, { quiet, json });

  function begin(): Plan {
    if (resume && !base && own.model === undefined)
      throw new UserError(
        `There is no run in ${out} (no config.json).`,
        "Start it: the same command without --resume, with model and data.",
      );
    const config = completeConfig(own, base);
    if (folder?.used && !force)
      throw new UserError(
        `${folder.path} is not empty.`,
        "Use --resume to go on with the run in it, --force to replace it, or another --out.",
      );
    return { config, folder, resume: false };
  }
}

/** What may differ from one process of a run to the next. The data may have moved: their content is compared. */
const DATA = ["data", "val", "test", "init", "from"];
const FREE = ["threads", "checkpointSeconds", ...DATA];

/** The run in `folder` with the configuration it began with. */
function goOn(folder: RunFolder, given: Fields): Plan {
  const file = folder.file("config.json");
  const saved = readConfig(file);
  const free = Object.entries(given).filter(([name]) => FREE.includes(name) && (name in saved || !DATA.includes(name)));
  const config = completeConfig({}, { file, fields: { ...saved, ...Object.fromEntries(free) } });
  for (const [name, value] of Object.entries(given)) {
    const [now, then] = [value, (config as Fields)[name]].map((x) => JSON.stringify(x) ?? "not set");
    if (now !== then && !WRITTEN.includes(name))
      throw new UserError(
        `--resume: ${flagOf(name)} is ${now} now but ${then} in ${file}.`,
        "A resumed run keeps its settings: leave the flag out, or start a new run.",
      );
  }
  return { config, folder, resume: true };
}
