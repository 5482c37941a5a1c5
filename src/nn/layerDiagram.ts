import type { LayerTable } from "./layerTable.ts";
import type { FieldRow } from "./receptiveField.ts";

/** Colours by kind of layer. */
const COLOURS: readonly [kind: RegExp, colour: string, name: string][] = [
  [/Conv/, "#4477aa", "convolution"],
  [/Pool/, "#cc6677", "pooling"],
  [/Linear/, "#228833", "fully connected"],
  [/Norm/, "#ccbb44", "normalisation"],
  [/./, "#999999", "other"],
];
const colourOf = (type: string): string => COLOURS.find(([kind]) => kind.test(type))![1];

const [GAP, TOP, BOXES, LABELS, FIELDS] = [6, 30, 150, 130, 60];

/**
 * A model's layers as an SVG picture: boxes from left to right, as high as the logarithm of the map's side, as wide as that of its
 * channels, with the facts of `layerTable` where they are pointed at. Below, where given, the receptive fields as bars.
 */
export function layerDiagram({ rows, total }: LayerTable, fields: readonly FieldRow[] = []): string {
  const fieldOf = new Map(fields.map((field) => [field.name, field]));
  const largest = Math.max(1, ...fields.flatMap(({ size }) => size));
  const parts: string[] = [];
  let x = GAP;
  for (const { name, type, output, parameters, macs } of rows) {
    const [channels, ...space] = output;
    const side = Math.max(1, ...space);
    const width = 8 + 3 * Math.log2(Math.max(1, channels));
    const height = (BOXES * (1 + Math.log2(side))) / 10;
    const y = TOP + Math.max(0, BOXES - height);
    const field = fieldOf.get(name);
    const facts = [
      `${name}: ${type} → ${output.join(" × ")}`,
      `${parameters.toLocaleString("en")} parameters, ${macs.toLocaleString("en")} products`,
      ...(field
        ? [`sees ${field.size.map(rounded).join(" × ")} pixels, ${field.stride.map(rounded).join(" × ")} apart`]
        : []),
    ];
    parts.push(
      `<g><title>${escaped(facts.join("\n"))}</title>`,
      `<rect x="${rounded(x)}" y="${rounded(y)}" width="${rounded(width)}" height="${rounded(Math.min(height, BOXES))}" fill="${colourOf(type)}"/>`,
      `<text transform="translate(${rounded(x + width / 2 + 4)} ${TOP + BOXES + 8}) rotate(90)">${escaped(`${name}  ${output.join("×")}`)}</text>`,
    );
    if (field) {
      const bar = (FIELDS * Math.max(...field.size)) / largest;
      parts.push(
        `<rect x="${rounded(x)}" y="${TOP + BOXES + LABELS}" width="${rounded(width)}" height="${rounded(bar)}" fill="#aa3377"/>`,
      );
    }
    parts.push("</g>");
    x += width + GAP;
  }
  const wide = Math.max(420, x);
  const high = TOP + BOXES + LABELS + (fields.length > 0 ? FIELDS + 24 : 0);
  const legend = COLOURS.filter(([, colour]) => rows.some(({ type }) => colourOf(type) === colour)).map(
    ([, colour, name], i) =>
      `<rect x="${GAP + 100 * i}" y="8" width="10" height="10" fill="${colour}"/><text x="${GAP + 14 + 100 * i}" y="17">${name}</text>`,
  );
  const summary = `${total.parameters.toLocaleString("en")} parameters, ${total.macs.toLocaleString("en")} products for one input`;
  const caption =
    fields.length > 0
      ? `<text x="${GAP}" y="${high - 6}">receptive field, largest ${rounded(largest)} pixels</text>`
      : "";
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${rounded(wide)} ${high}" width="${rounded(wide)}" height="${high}" ` +
    `font-family="sans-serif" font-size="10" role="img" aria-label="${escaped(`${rows.length} layers, ${summary}`)}">` +
    `${legend.join("")}${parts.join("")}${caption}</svg>\n`
  );
}

const rounded = (n: number): number => Math.round(n * 10) / 10;

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => ENTITIES[c]);
