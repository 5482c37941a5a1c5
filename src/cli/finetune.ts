import { Command, Option } from "commander";
import { comesWithModel } from "./models.ts";
import { list } from "./options.ts";
import { modelNamed, readOrigin } from "./origin.ts";
import { existingModel } from "./runFolder.ts";
import { type RunFlags, run, trainOptions } from "./train.ts";

interface Flags extends Omit<RunFlags, "head"> {
  head?: "fresh" | "keep";
}

/** Options of `train` that a run which starts from a model has no use for, beside those that come with the model. */
const NOT_HERE = ["init", "freeze", "numeric", "categorical", "config"];

export function finetuneCommand(): Command {
  const command = new Command("finetune")
    .summary("go on from a run, with other data or targets")
    .description(
      "Trains a run's model further: on more data, for another target, or to tell classes apart. The network, the features and the weights are those of the model; the targets are normalised anew; where the target or the task is another one, the last layer starts afresh. The learning rate is a fifth of the model's usual one. The result is a run like any other.",
    )
    .argument("<run>", "folder of the run to start from, or its model.safetensors")
    .optionsGroup("Model:")
    .addOption(
      new Option(
        "--head <kind>",
        "the last layer: fresh, or keep it, and the scale of the targets with it (default: keep for the same target)",
      ).choices(["fresh", "keep"]),
    )
    .option(
      "--freeze <patterns>",
      'weights to leave as they are, separated by commas: body (all but the last layer), or by name, "embedding*,convs.*"',
      list,
    );
  for (const option of trainOptions((field) => !comesWithModel(field) && !NOT_HERE.includes(field))) {
    if (option.attributeName() === "lr") option.description = "learning rate (a fifth of the one of train)";
    command.addOption(option);
  }
  return command
    .addHelpText(
      "after",
      `
What --freeze can name, beside body (spinel info shows a model's weights):
  cgcnn     embedding.*, convs.0.*, convs.*, conv_to_fc.*
  schnet    embedding.*, interactions.0.*, interactions.*, outnet.0.*
  painn     embedding.*, filter_net.*, interactions.*, mixing.*
  megnet    embedding.*, *_encoder.*, blocks.0.*, blocks.*, *_s2s.*
  alignn    *_embedding.*, alignn_layers.*, gcn_layers.*
  crabnet   encoder.embed.*, encoder.*, output_nn.*
  mlp       layers.0.*
  vgg       features.*

Examples:
  spinel train cgcnn --data embedded:crystals --target energy_per_atom --unit eV/atom --out runs/energy
  spinel finetune runs/energy --data "embedded:crystals?count=200&seed=2" --target madelung_energy_per_atom --unit eV/atom
  spinel finetune runs/formation-energy --data gaps.jsonl --target band_gap --unit eV --freeze body --out runs/gap`,
    )
    .action(finetune);
}

async function finetune(from: string, { head, ...flags }: Flags): Promise<void> {
  const file = existingModel(from);
  const model = modelNamed(await readOrigin(file));
  await run({ ...flags, from: file, model, ...(head === undefined ? {} : { freshHead: head === "fresh" }) });
}
