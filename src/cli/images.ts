import { UserError } from "../core/errors.ts";
import { type AugmentSpec, parseAugment } from "../data/augment.ts";
import type { Image } from "../data/image.ts";
import { IMAGENET, ImageFeaturiser, type ImageSpec } from "../data/imageFeaturiser.ts";
import { isPicture } from "../data/imageRows.ts";
import { hasImages, readImageRows, readImages } from "../data/images.ts";
import { fitTo, toGrey } from "../data/imageTransform.ts";
import { Table, type TableOptions } from "../data/table.ts";
import { openSafetensors } from "../io/safetensors.ts";
import { parseCard } from "../train/predictor.ts";
import { type Fields, flagOf, type RunConfig } from "./config.ts";
import type { ReadFlags } from "./inputs.ts";
import { needsImages, needsStructures, ownersOf } from "./models.ts";

/**
 * Whether the file or folder is read as images: for the nets that need them always, for an mlp if that is what it holds and no
 * column is named.
 *
 * @throws UserError where the model has no use for images, or options of images meet a table
 */
export async function areImages(file: string, config: RunConfig): Promise<boolean> {
  const { model, formula, features, numeric, categorical } = config;
  if (needsImages(model)) return true;
  if (
    model === "mlp" &&
    (formula !== undefined || features !== undefined || numeric.length > 0 || categorical.length > 0)
  )
    return false;
  if (await hasImages(file)) {
    if (model === "mlp") return true;
    throw new UserError(
      `${file} holds images; ${model} learns from ${needsStructures(model) ? "structures" : "formulas"}.`,
      "Train tinyvgg, lenet, vgg11 …, cnn1d for signals, or an mlp.",
    );
  }
  // Of the models that learn from formulas or structures, too, only this one has fields of images.
  if (model !== "mlp") return false;
  const alien = Object.keys(config).find(
    (field) => (config as Fields)[field] !== undefined && ownersOf(field)?.includes("tinyvgg"),
  );
  if (alien) throw new UserError(`${flagOf(alien)} is for images; ${file} holds none.`, "Leave it out.");
  return false;
}

/** The images of a file or folder with their classes, which are those of `like` if it has some. */
export async function readLabelledImages(file: string, config: RunConfig, like: TableOptions = {}): Promise<Table> {
  const { target, id, delimiter, skipBad, task, imageSize, channels, fit = "stretch" } = config;
  // As the featuriser does it, but at once: whole photographs need not be held.
  const sized = (picture: Image): Image =>
    imageSize && picture.height > 1 ? fitTo(channels === 1 ? toGrey(picture) : picture, imageSize, fit) : picture;
  const options = { target: target || undefined, id, delimiter, skipBad, task, imageSize, classes: like.classes };
  const table = await readImages(file, { ...options, transform: sized }).catch((error) => {
    if (!(error instanceof UserError && error.message.includes("columns of pixels make no square"))) throw error;
    const [what, ...hint] = error.message.split("\n");
    throw new UserError(`${config.model} learns from images, and ${what}`, hint.join("\n").trim());
  });
  if (table.length > 0 && !table.targets)
    throw new UserError(`${file}: the images have no labels to learn from.`, labelHint(table));
  if (table.classes?.length === 1)
    throw new UserError(
      `${file}: all images are of one class, ${JSON.stringify(table.classes[0])}.`,
      "There is nothing to tell apart: add images of another, in a folder of their own.",
    );
  return table;
}

/** Where labels may be: in a column that has another name, in a table among the pictures, or nowhere yet. */
function labelHint({ file, unused }: Table): string {
  if (isTableName(file) && unused.length > 0)
    return `Name the column to predict: --target COLUMN. It has ${unused.map((name) => JSON.stringify(name)).join(", ")}.`;
  const table = unused.find(isTableName);
  if (table) return `If ${table} names the pictures and says what they show: --data ${file}/${table} --target COLUMN.`;
  return "Sort them into a folder for each class, put an IDX file of labels beside that of images, or give a table with a column file that names them.";
}

const isTableName = (name: string): boolean => /\.(?:csv|tsv|jsonl|ndjson|json)(?:\.gz)?$/i.test(name);

/** What turns a run's images into its net's inputs: pixels from −0.1 to 1.175 for LeNet, as weights to start from saw them, or standardised. */
export async function imageFeaturiser(config: RunConfig, train: Table): Promise<ImageFeaturiser> {
  const { model, imageSize: size, channels, fit, gamma, augment } = config;
  const learned = await learnedScale(config);
  const scale = model === "lenet" ? { mean: [0.1 / 1.275], std: [1 / 1.275] } : learned;
  const spec = {
    ...{ ...scale, gamma: gamma ?? learned.gamma, size, fit },
    ...{ channels: channels ?? learned.mean?.length, augment: augmentation(augment) },
  };
  return ImageFeaturiser.fit(spec, train);
}

function augmentation(text: string | undefined): AugmentSpec | undefined {
  if (text === undefined) return undefined;
  try {
    return parseAugment(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [what, ...hint] = error.message.split("\n");
    throw new UserError(
      `--augment ${JSON.stringify(text)}: ${what.replace(/^augment: /, "")}`,
      hint.join("\n").trim() || undefined,
    );
  }
}

/** The scale of images that the weights to start from were learned with. */
async function learnedScale({
  from,
  init = from,
  model,
}: RunConfig): Promise<Pick<ImageSpec, "gamma" | "mean" | "std">> {
  if (init === undefined) return {};
  const stored = await openSafetensors(init);
  try {
    if (stored.metadata.spinel) {
      const { featuriser } = parseCard(stored.metadata, init);
      if (!("kind" in featuriser) || featuriser.kind !== "images")
        throw new UserError(`${init} is a model of tables, not of images.`, "Start from a net of images.");
      const { gamma, mean, std } = featuriser.spec;
      return { gamma, mean, std };
    }
    const { shape = [] } = stored.entries.get("features.0.weight") ?? {};
    return model.startsWith("vgg") && shape[1] === 3 ? IMAGENET : {};
  } finally {
    await stored.close();
  }
}

/** The images of the files a trained net is given, in pieces; pictures that are named one by one go together. */
export async function* imageTables(
  files: readonly string[],
  { spec }: ImageFeaturiser,
  { id, delimiter, skipBad }: ReadFlags,
): AsyncGenerator<Table> {
  for (const group of together(files))
    for await (const table of readImageRows(group, { id, delimiter, skipBad, imageSize: spec.size, batch: 64 }))
      yield isPicture(group[0]) ? new Table({ ...table, ids: table.ids.map((name) => asTyped(name, group)) }) : table;
}

/** Of pictures read together, ids begin below their common folder; a user looks for the names that were given. */
const asTyped = (id: string, files: readonly string[]): string =>
  files.filter((file) => file === id || file.endsWith(`/${id}`)).sort((a, b) => a.length - b.length)[0] ?? id;

function together(files: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (const file of files) {
    if (file === "-") throw new UserError("Images cannot be read from standard input.", "Name files or a folder.");
    const last = groups.at(-1);
    if (last && isPicture(file) && isPicture(last[0])) last.push(file);
    else groups.push([file]);
  }
  return groups;
}
