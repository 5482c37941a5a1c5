import { rangeOf, toBytes } from "../../data/heatmap.ts";
import type { Image } from "../../data/image.ts";
import { encodePng } from "../../data/imageCodec.ts";
import { resize } from "../../data/imageTransform.ts";
import type { ImageViews, Row } from "./data.ts";
import { html, Markup } from "./html.ts";
import { page } from "./page.ts";
import { card, percent } from "./sections.ts";

/** As many of the worst rows are drawn. */
const DRAWN = 24;
/** Pixels of a side: so many that all pictures together stay below 2 MB. */
const SIDE = 112;
/** Points of a signal's line. */
const POINTS = 400;

/** An image in the page: a PNG within it or, where it is a signal, a line for each channel. */
export function picture(image: Image, label: string): Markup {
  if (image.height === 1 && image.width > 1) return signal(image, label);
  const { width, height, channels } = image;
  const scale = Math.min(1, SIDE / Math.max(width, height));
  const size = [height, width].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  const small = resize(channels === 1 || channels === 3 ? image : firstChannel(image), size);
  const png = encodePng(small.data instanceof Uint8Array ? small : toBytes(small));
  return html`<img src="data:image/png;base64,${base64(png)}" width="${width}" height="${height}" alt="${label}">`;
}

/** The pictures of the first rows that have some, each with what there is to say of it. */
export function imageFigures<R extends Row>(
  rows: readonly R[],
  facts: (row: R) => [name: string, value: string][],
): Markup | undefined {
  const drawn = rows.filter(({ image }) => image).slice(0, DRAWN);
  if (drawn.length === 0) return undefined;
  return html`<div class="pictures">${drawn.map((row) => figure([picture(row.image!, row.id)], row.id, facts(row)))}</div>`;
}

/** What a net of images has learned to see: its first filters, and where it looks. */
export function viewSections({ filters, attributions = [] }: ImageViews): Markup {
  const lookedAt = attributions.map(({ id, image, overlay, facts }) =>
    figure([picture(image, id), picture(overlay, `Where the net looks in ${id}`)], id, facts, image.height === 1),
  );
  const what = filters?.images.map((image, i) => picture(image, `Filter ${i + 1}`));
  return html`${
    attributions.length > 0 &&
    card(
      "Where it looks",
      "Grad-CAM of the last convolution: the brighter a place, the more it speaks for the predicted class.",
      html`<div class="pictures pairwise">${lookedAt}</div>`,
      { wide: true },
    )
  }${
    what &&
    card(
      "First layer",
      `${filters!.title}, each from its lowest weight${filters!.images[0].height > 1 ? " (black)" : ""} to its highest.`,
      html`<div class="filters">${what}</div>`,
      { wide: true },
    )
  }`;
}

const figure = (
  pictures: Markup[],
  name: string,
  facts: readonly (readonly [string, string])[],
  signals = false,
): Markup =>
  html`<figure><div class="picture${signals && " signal"}">${pictures}</div>
<figcaption><p class="id" title="${name}">${name}</p>
<dl>${facts.map(([key, value]) => html`<div><dt>${key}</dt><dd title="${value}">${value}</dd></div>`)}</dl></figcaption></figure>\n`;

/** An image with pictures of why a net answers as it does. */
export interface Explanation {
  id: string;
  facts: readonly (readonly [name: string, value: string])[];
  pictures: readonly { title: string; image: Image }[];
}

/** What the pictures show, by their titles. */
const LEGEND: Readonly<Record<string, string>> = {
  saliency: "Saliency: the brighter a pixel, the more the answer changes with it.",
  "Grad-CAM": "Grad-CAM: the brighter a place, the more the last convolution finds there that speaks for the answer.",
  occlusion: "Occlusion: red where the class gets less probable when the place is covered, blue where more.",
};

/** A page of explanations with everything inside. */
export function renderExplanations(title: string, explanations: readonly Explanation[]): string {
  const drawn = new Set(explanations.flatMap(({ pictures }) => pictures.map((each) => each.title)));
  const legend = Object.keys(LEGEND).flatMap((name) => (drawn.has(name) ? [LEGEND[name]] : []));
  const cards = explanations.map(({ id, facts, pictures }) => {
    const figures = pictures.map(({ title: name, image }) => figure([picture(image, `${name} of ${id}`)], name, []));
    const sub = facts.map(([name, value]) => `${name} ${value}`).join(", ");
    return card(id, sub, html`<div class="pictures">${figures}</div>`, { wide: true });
  });
  return page(
    title,
    html`<header><h1>${title}</h1><p class="sub">${legend.join(" ")}</p></header>\n<div class="cards">${cards}</div>`,
    [],
  );
}

/** What a row is, as far as that is known, and what it is taken for. */
export const verdict = (
  truth: string | undefined,
  predicted: string,
  probability: number,
): [name: string, value: string][] => [
  ...(truth === undefined ? [] : [["true", truth] as [string, string]]),
  ["predicted", predicted],
  ["probability", percent(probability)],
];

const firstChannel = ({ width, height, data }: Image): Image => ({
  ...{ width, height, channels: 1 },
  data: data.subarray(0, width * height),
});

/** The lines of a signal's channels on a common scale; of a long one the lowest and highest value of every stretch. */
function signal({ width, channels, data }: Image, label: string): Markup {
  const [low, high] = rangeOf([{ data }]);
  const y = (value: number): string => (high > low ? (48 - (46 * (value - low)) / (high - low)).toFixed(1) : "25");
  const x = (i: number): string => ((100 * i) / (width - 1)).toFixed(2);
  const step = Math.max(1, Math.ceil((2 * width) / POINTS));
  const lines = Array.from({ length: channels }, (_, c) => {
    const points: string[] = [];
    for (let begin = 0; begin < width; begin += step) {
      const stretch = data.subarray(c * width + begin, c * width + Math.min(width, begin + step));
      const ends = step === 1 ? [stretch[0]] : rangeOf([{ data: stretch }]);
      for (const value of ends) points.push(`${x(begin)},${y(value)}`);
    }
    return html`<polyline points="${points.join(" ")}"/>`;
  });
  return html`<svg viewBox="0 0 100 50" preserveAspectRatio="none" role="img" aria-label="${label}">${lines}</svg>`;
}

function base64(bytes: Uint8Array): Markup {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return new Markup(btoa(text));
}
