import { describe, expect, test } from "vitest";
import { Rng } from "../../src/core/random.ts";
import { type Image, image } from "../../src/data/image.ts";
import { decodeImage } from "../../src/data/imageCodec.ts";
import { type ClassificationRow, type ReportData, renderExplanations, reportPage } from "../../src/train/report.ts";

const bytes = (height: number, width: number, channels: number, seed: number): Image => {
  const rng = new Rng(seed);
  return image(
    width,
    height,
    channels,
    Uint8Array.from({ length: channels * height * width }, () => rng.integer(256)),
  );
};
const wave = (length: number): Image =>
  image(
    length,
    1,
    2,
    Float32Array.from({ length: 2 * length }, (_, i) => Math.sin(i / 9)),
  );

/** Rows of class 0 that are all taken for class 1, the surer the later they come. */
const wrong = (count: number, of: (i: number) => Image): ClassificationRow[] =>
  Array.from({ length: count }, (_, i) => {
    const p = 0.6 + i / 1000;
    return { id: `<${i}>.png`, target: 0, probabilities: [1 - p, p], image: of(i) };
  });

const page = (rows: ClassificationRow[], more: Partial<ReportData> = {}): string =>
  reportPage(
    {
      ...{ title: "Pictures", model: { name: "TinyVGG", parameters: 1 }, dataset: { name: "pics", target: "class" } },
      ...{ seed: 0, command: "spinel", versions: {}, duration: 1, history: [], metric: "accuracy" },
      results: { task: "classification", classes: ["a", "b"], predictions: { test: rows } },
      ...more,
    },
    { chart: "" },
  );
const card = (html: string, title: string): string =>
  html.split("<section").find((part) => part.includes(`<h2>${title}</h2>`)) ?? "";
const pictures = (html: string): Image[] =>
  [...html.matchAll(/<img src="data:image\/png;base64,([^"]+)"/g)].map(([, text]) =>
    decodeImage(
      Uint8Array.from(atob(text), (c) => c.charCodeAt(0)),
      { file: "picture" },
    ),
  );

describe("images in a report", () => {
  test("the 24 surest mistakes, in this order, as they are", () => {
    const html = card(page(wrong(30, (i) => bytes(6, 5, 1 + 2 * (i % 2), i))), "Worst cases");
    expect(pictures(html)).toEqual(Array.from({ length: 24 }, (_, i) => bytes(6, 5, 1 + 2 * ((29 - i) % 2), 29 - i)));
    expect(html).toContain("The 24 surest of 30 wrong predictions");
    expect(html).toContain('alt="&lt;29&gt;.png"');
    expect(html).toMatch(/<dt>true<\/dt><dd title="a">a<\/dd>.*<dt>predicted<\/dt><dd title="b">b<\/dd>.*62\.9 %/s);
  });

  test("large photographs are made small: the page stays below 2 MB", () => {
    const html = page(wrong(24, (i) => bytes(300, 200, 3, i)));
    expect(pictures(html)[0]).toMatchObject({ height: 112, width: 75, channels: 3 });
    expect(html.length).toBeLessThan(2e6);
  });

  test("signals are lines, long ones with the highest and lowest value of every stretch", () => {
    const html = card(page(wrong(1, () => wave(3000))), "Worst cases");
    const lines = [...html.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) => points.split(" "));
    expect(lines.map(({ length }) => length)).toEqual([400, 400]);
    const heights = lines.flat().map((point) => Number(point.split(",")[1]));
    expect([Math.min(...heights), Math.max(...heights)]).toEqual([2, 48]);
  });

  test("filters, and where a net looks", () => {
    const filters = {
      title: "2 filters of 3 × 3",
      images: [0, 1].map(() =>
        image(
          3,
          3,
          1,
          Float32Array.from({ length: 9 }, (_, i) => i - 4),
        ),
      ),
    };
    const [seen, overlay] = [bytes(4, 4, 1, 1), bytes(4, 4, 3, 2)];
    const attributions = [{ id: "x.png", image: seen, overlay, facts: [["true", "a"]] as const }];
    const html = page(
      wrong(1, () => seen),
      { views: { filters, attributions } },
    );
    expect(pictures(card(html, "Where it looks"))).toEqual([seen, overlay]);
    const [first] = pictures(card(html, "First layer"));
    expect([...first.data]).toEqual([0, 32, 64, 96, 128, 159, 191, 223, 255]);
    expect(card(page(wrong(1, () => seen)), "Where it looks")).toBe("");
  });

  test("explanations on a page of their own", () => {
    const html = renderExplanations("Why", [
      { id: "x.png", facts: [["predicted", "b"]], pictures: [{ title: "saliency", image: bytes(4, 4, 3, 1) }] },
    ]);
    expect(pictures(html)).toEqual([bytes(4, 4, 3, 1)]);
    expect(html).toMatch(/<h2>x\.png<\/h2>.*predicted b.*saliency/s);
    expect([html.includes("the more the answer changes"), html.includes("Occlusion:")]).toEqual([true, false]);
  });
});
