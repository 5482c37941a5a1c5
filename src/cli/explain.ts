import { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { scope, type Tensor } from "../core/tensor.ts";
import { heatmap, imagesOf, montage, rangeOf, toBytes } from "../data/heatmap.ts";
import type { Image } from "../data/image.ts";
import { encodePng } from "../data/imageCodec.ts";
import { ImageFeaturiser } from "../data/imageFeaturiser.ts";
import { unknownName } from "../data/open.ts";
import type { Table } from "../data/table.ts";
import { type AnyModel, gradCam, occlusion, saliency } from "../nn/index.ts";
import type { Predictor } from "../train/predictor.ts";
import { renderExplanations, verdict } from "../train/report.ts";
import { explainMaterials } from "./explainMaterials.ts";
import { asMaps, asSeen, hasMaps, laidOver, stripe } from "./imageViews.ts";
import { loadPredictor, type ReadFlags, tables } from "./inputs.ts";
import { layerOutput } from "./layers.ts";
import { natural } from "./options.ts";
import { tellDropped } from "./rows.ts";
import { RunFolder } from "./runFolder.ts";

interface Flags extends Pick<ReadFlags, "skipBad"> {
  out?: string;
  json?: boolean;
  class?: string;
  layer?: string;
  limit: number;
  threads?: number;
}

export function explainCommand(): Command {
  return new Command("explain")
    .summary("why a model answers as it does")
    .description(
      "Of crystals, for models that add atoms up (painn, egnn, schnet with --readout mean, potentials): what each atom contributes. Of compositions (crabnet): which element looks at which, and what each says. Of a graph's nodes (gat): whom each attends to. As text or --json, or with --out as a page. Of images, it draws why a trained net of images answers as it does, for each image: saliency (the slope of the answer at each pixel), Grad-CAM (where the last convolution finds what speaks for it), occlusion (for classes: how far its probability falls when a place is covered) and, with --layer, that layer's maps. Writes PNG files and index.html, which shows them all.",
    )
    .argument("<model>", "model.safetensors of a run, or the run's folder")
    .argument(
      "<files...>",
      "structure files; formulas, or tables of them; PNG and JPEG files, folders of them, IDX, CSV of pixels",
    )
    .option("--out <folder>", "folder for the page and the pictures; images need it")
    .option("--json", "JSON lines instead of text")
    .option("--class <name>", "images: explain this class instead of the likeliest")
    .option("--layer <name>", "images: also a layer's maps; see spinel info MODEL --layers")
    .option("--limit <n>", "of many rows, the first so many", natural, 100)
    .option("--skip-bad", "leave out structures and images that cannot be read, and say so")
    .option("--threads <n>", "compute threads", natural)
    .addHelpText(
      "after",
      "\nExamples:\n  spinel explain runs/painn-energy *.cif --out why\n  spinel explain runs/crabnet-gap Fe2O3 TiO2\n  spinel explain runs/tinyvgg-class new/*.png --out why\n  spinel explain runs/vgg16-class photo.jpg --out why --class pearlite --layer features.28",
    )
    .action(explain);
}

async function explain(model: string, files: string[], { out, threads, limit, json, ...flags }: Flags): Promise<void> {
  const predictor = await loadPredictor(model, threads);
  const { featuriser, card } = predictor;
  if (!(featuriser instanceof ImageFeaturiser)) {
    const alien = (["class", "layer"] as const).find((name) => flags[name] !== undefined);
    if (alien) throw new UserError(`--${alien} is for nets of images; ${model} is none.`, "Leave it out.");
    await explainMaterials(model, predictor, files, { out, limit, json, skipBad: flags.skipBad });
    return;
  }
  if (json) throw new UserError("--json: of images there are pictures, not lines.", "Leave it out.");
  if (out === undefined) throw new UserError("The pictures need a folder.", "Name it: --out FOLDER.");
  const classes = card.task.kind === "classification" ? card.task.classes : undefined;
  if (flags.class !== undefined && !classes)
    throw new UserError(`--class: ${model} predicts numbers and tells no classes apart.`, "Leave it out.");
  if (flags.class !== undefined && !classes!.includes(flags.class))
    throw unknownName(`--class: ${model} has no class`, flags.class, classes!);
  const folder = new RunFolder(out);
  const names = new Set<string>();
  const explained: Parameters<typeof renderExplanations>[1][number][] = [];
  for await (const table of tables(files, predictor, flags)) {
    tellDropped(table);
    for (let row = 0; row < table.length && explained.length < limit; row++) {
      const one = explainRow(predictor, featuriser, table.rows([row]), flags);
      const name = fileName(one.id, names);
      for (const { title, image } of one.pictures)
        await folder.write(`${name}-${title.replace(/[^\p{L}\p{N}]+/gu, "-").toLowerCase()}.png`, [
          encodePng(large(image)),
        ]);
      explained.push(one);
    }
    if (explained.length >= limit) break;
  }
  if (explained.length === 0) throw new UserError("Every image was left out: there is nothing to explain.");
  await folder.write("index.html", renderExplanations(`What ${model} looks at`, explained));
  process.stderr.write(
    `${explained.length} ${explained.length === 1 ? "image" : "images"} explained: ${folder.file("index.html")}\n`,
  );
}

/** The pictures of a single row. Numbers have no probability that could fall: they go without occlusion. */
function explainRow(
  predictor: Predictor,
  featuriser: ImageFeaturiser,
  table: Table,
  { class: wanted, layer }: Pick<Flags, "class" | "layer">,
) {
  const { task, target } = predictor.card;
  const classes = task.kind === "classification" ? task.classes : undefined;
  const answer = predictor.predict(table);
  const best = answer.indexOf(Math.max(...answer));
  const classIndex = wanted === undefined ? best : classes!.indexOf(wanted);
  const model = predictor.model as AnyModel;
  const [, height, width] = featuriser.shape;
  return scope(() => {
    const [x] = predictor.dataset(table).batch(Int32Array.of(0)).inputs as [Tensor];
    const [seen] = asSeen(x, featuriser);
    const map = (maps: Tensor): Image => imagesOf(asMaps(maps, featuriser))[0];
    const shown = (picture: Image): Image => (height === 1 ? stripe(picture) : picture);
    const pictures = [
      { title: "image", image: seen },
      { title: "saliency", image: shown(heatmap(map(saliency(model, x, { classIndex })), { colours: "inferno" })) },
      ...(hasMaps(model)
        ? [{ title: "Grad-CAM", image: laidOver(seen, map(gradCam(model, x, { classIndex, size: [height, width] }))) }]
        : []),
      ...(classes
        ? [
            {
              title: "occlusion",
              image: shown(
                heatmap(map(occlusion(model, x, occluder(featuriser, classIndex))), { colours: "coolwarm" }),
              ),
            },
          ]
        : []),
      ...(layer === undefined ? [] : [{ title: `layer ${layer}`, image: layerSheet(model, x, layer) }]),
    ];
    const unit = target.unit ? ` ${target.unit}` : "";
    const facts: [name: string, value: string][] = classes
      ? [
          ...verdict(table.targets && classes[table.targets.values[0]], classes[best], answer[best]),
          ["explained", `class ${classes[classIndex]}`],
        ]
      : [["predicted", `${Number(answer[0].toPrecision(4))}${unit}`]];
    return { id: table.ids[0], facts, pictures };
  });
}

/** A patch of a quarter of the image, moved by half of itself; of signals as long. */
function occluder({ shape: [, height, width] }: ImageFeaturiser, classIndex: number) {
  const side = (n: number) => Math.max(1, Math.ceil(n / 4));
  const step = (n: number) => Math.max(1, Math.floor(side(n) / 4));
  return { classIndex, size: [side(height), side(width)] as const, stride: [step(height), step(width)] as const };
}

/** All maps of a layer on one sheet, or its numbers as a row. */
function layerSheet(model: AnyModel, x: Tensor, layer: string): Image {
  const y = layerOutput(model, [x], layer);
  const [, channels, ...space] = y.shape;
  const [h, w] = space.length === 2 ? space : [1, space[0] ?? 1];
  const maps = imagesOf(y.reshape(channels, h, w));
  const range = rangeOf(maps);
  const columns = h === 1 && w > 1 ? 1 : undefined;
  return montage(
    maps.map((map) => heatmap(map, { colours: "viridis", range })),
    { columns },
  );
}

/** Small pictures with every pixel as a square. */
function large(picture: Image): Image {
  const scale = Math.max(1, Math.floor(256 / Math.max(picture.width, picture.height)));
  const { width, height, channels, data } = picture;
  // A signal is drawn as a strip, of its first channel.
  const shown =
    channels === 3 && height > 1 ? picture : { width, height, channels: 1, data: data.subarray(0, width * height) };
  const bytes = shown.data instanceof Uint8Array ? shown : toBytes(shown);
  return montage([height === 1 ? stripe(bytes) : bytes], { scale });
}

/** "good/a 1.png" → "good_a_1", or "good_a_1-2" where that is taken. */
function fileName(id: string, taken: Set<string>): string {
  const safe = id.replace(/\.(png|jpe?g)$/i, "").replace(/[^\p{L}\p{N}_.+-]+/gu, "_") || "image";
  let name = safe;
  for (let i = 2; taken.has(name); i++) name = `${safe}-${i}`;
  taken.add(name);
  return name;
}
