import { scope, type Tensor } from "../core/tensor.ts";
import { heatmap, imagesOf, overlay, toBytes } from "../data/heatmap.ts";
import { type Image, image } from "../data/image.ts";
import { ImageFeaturiser } from "../data/imageFeaturiser.ts";
import type { Table } from "../data/table.ts";
import { type AnyModel, gradCam, modules } from "../nn/index.ts";
import type { Predictor } from "../train/predictor.ts";
import { type ImageViews, verdict } from "../train/report.ts";

/** As many samples are explained in a report, and as many filters shown. */
const SAMPLES = 8;
const FILTERS = 64;

/** What a report shows of a net of images: its first filters and, where it convolves, where it looks in one sample of each class. */
export function imageViews(predictor: Predictor, table: Table): ImageViews | undefined {
  const { featuriser, model } = predictor;
  if (!(featuriser instanceof ImageFeaturiser)) return undefined;
  return {
    filters: firstFilters(model, featuriser),
    attributions: hasMaps(model) ? attributions(predictor, featuriser, table) : [],
  };
}

/** Whether a layer puts out maps, as those of a convolutional net do. */
export const hasMaps = (model: object): boolean => weightsOf(model).some(({ rank }) => rank > 2);

/** The weights of the layers in order. */
const weightsOf = (model: object): Tensor[] =>
  [...modules(model).values()].flatMap((layer) => ("weight" in layer ? [layer.weight as Tensor] : []));

function firstFilters(model: object, { shape }: ImageFeaturiser): ImageViews["filters"] {
  const [weight, ...later] = weightsOf(model);
  const [count, ...own] = weight.shape;
  const [channels, height, width] = own.length === 3 ? own : own.length === 2 ? [own[0], 1, own[1]] : shape;
  const size = channels * height * width;
  const values = weight.toArray();
  const shown = Math.min(count, FILTERS);
  const images = Array.from({ length: shown }, (_, i) =>
    image(width, height, channels, values.slice(i * size, (i + 1) * size)),
  );
  const kind =
    own.length > 1
      ? `filters of ${height === 1 ? width : `${height} × ${width}`}`
      : `${later.length > 0 ? "hidden units" : "outputs"}' weights`;
  return { title: shown < count ? `The first ${shown} of ${count} ${kind}` : `${count} ${kind}`, images };
}

function attributions(predictor: Predictor, featuriser: ImageFeaturiser, table: Table): ImageViews["attributions"] {
  const { task } = predictor.card;
  if (task.kind !== "classification" || !table.targets) return [];
  const { values } = table.targets;
  const firsts = task.classes.flatMap((_, k) => (values.includes(k) ? [values.indexOf(k)] : []));
  const some = table.rows(firsts.slice(0, SAMPLES));
  const probabilities = predictor.predict(some);
  return scope(() => {
    const { inputs } = predictor.dataset(some).batch(Int32Array.from(some.ids.keys()));
    const x = inputs[0] as Tensor;
    const [, height, width] = featuriser.shape;
    const maps = imagesOf(asMaps(gradCam(predictor.model as AnyModel, x, { size: [height, width] }), featuriser));
    return asSeen(x, featuriser).map((seen, i) => {
      const own = probabilities.subarray(i * task.classes.length, (i + 1) * task.classes.length);
      const best = own.indexOf(Math.max(...own));
      const facts = verdict(task.classes[some.targets!.values[i]], task.classes[best], own[best]);
      return { id: some.ids[i], image: seen, overlay: laidOver(seen, maps[i]), facts };
    });
  });
}

/** Maps of signals, [n, length], as pictures of height 1. */
export const asMaps = (maps: Tensor, { shape: [, height, width] }: ImageFeaturiser): Tensor =>
  maps.reshape(maps.size / (height * width), height, width);

/** Inputs [n, C, H, W] as the images that a net sees: in their final size, mean and standard deviation taken back. */
export function asSeen(x: Tensor, { shape, spec }: ImageFeaturiser): Image[] {
  const [channels, height, width] = shape;
  const size = height * width;
  const all = x.toArray().map((value, i) => {
    const c = Math.floor(i / size) % channels;
    return value * spec.std[c] + spec.mean[c];
  });
  return Array.from({ length: x.shape[0] }, (_, i) => {
    const values = all.subarray(i * channels * size, (i + 1) * channels * size);
    const data = spec.bytes ? Uint8Array.from(values, (value) => Math.round(255 * value)) : values;
    return image(width, height, channels, data);
  });
}

/** A map over the picture that it belongs to; of a signal, a strip in the map's colours, to stand below its line. */
export function laidOver(picture: Image, map: Image): Image {
  if (picture.height === 1) return stripe(heatmap(map, { colours: "inferno" }));
  return overlay(picture.data instanceof Uint8Array ? picture : toBytes(picture), map, { range: [0, 1] });
}

/** A picture of height 1 made high enough to be seen. */
export function stripe({ width, channels, data }: Image, height = 8): Image {
  const rows = Array.from({ length: channels }, (_, c) => data.subarray(c * width, (c + 1) * width));
  const out = new Uint8Array(channels * height * width);
  rows.forEach((row, c) => {
    for (let y = 0; y < height; y++) out.set(row, (c * height + y) * width);
  });
  return image(width, height, channels, out);
}
