import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync, zipSync } from "fflate";
import { afterAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { image } from "../../src/data/image.ts";
import { encodePng } from "../../src/data/imageCodec.ts";
import { hasImages, type ImageOptions, type ImageSource, readImageRows, readImages } from "../../src/data/images.ts";
import { resize } from "../../src/data/imageTransform.ts";
import type { Table } from "../../src/data/table.ts";

const root = mkdtempSync(join(tmpdir(), "spinel-images-"));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
type Files = Record<string, Uint8Array | string>;
/** A folder with these files; names that end in / are empty folders. */
function folder(files: Files): string {
  const path = join(root, `f${count++}`);
  mkdirSync(path);
  for (const [name, data] of Object.entries(files)) {
    mkdirSync(name.endsWith("/") ? join(path, name) : dirname(join(path, name)), { recursive: true });
    if (!name.endsWith("/")) writeFileSync(join(path, name), data);
  }
  return path;
}
const picked = (files: Files) => Object.entries(files).map(([name, data]) => new File([data as BlobPart], name));
/** A grey picture all of one brightness. */
const png = (value: number, width = 2, height = 3) =>
  encodePng(image(width, height, 1, new Uint8Array(width * height).fill(value)));
const text = (value: string) => new TextEncoder().encode(value);

async function failure(source: ImageSource, options: ImageOptions = {}): Promise<string> {
  const error = await readImages(source, options).catch((reason) => reason);
  expect(error).toBeInstanceOf(UserError);
  return error.message.replaceAll(root, "");
}
const targets = ({ targets }: Table) => targets && [...targets.values];
/** The first number of each image. */
const firsts = ({ images }: Table) => images!.map(({ data }) => data[0]);

const CLASSES = {
  "b/2.png": png(2),
  "a/10.png": png(10),
  "b/x.PNG": png(3),
  "b/.hidden.png": "",
  "notes.txt": "",
  ".git/c.png": "",
};

function zipped(folder = ""): File {
  const entries = Object.entries(CLASSES).map(
    ([name, data]) => [folder + name, typeof data === "string" ? text(data) : data] as const,
  );
  return new File([zipSync(Object.fromEntries(entries)) as BlobPart], "a.zip");
}

describe("folders", () => {
  test.each<[string, () => ImageSource]>([
    ["a folder", () => folder(CLASSES)],
    ["a zip archive", () => zipped()],
    ["a zip archive of a folder", () => zipped("pics/")],
  ])("for each class in %s", async (_, source) => {
    const table = await readImages(source());
    expect(table.ids).toEqual(["a/10.png", "b/2.png", "b/x.PNG"]);
    expect([table.classes, table.targets!.names, targets(table)]).toEqual([["a", "b"], ["class"], [0, 1, 1]]);
    expect(firsts(table)).toEqual([10, 2, 3]);
    expect(table.images![0]).toMatchObject({ width: 2, height: 3, channels: 1 });
    expect(table.unused).toEqual(["notes.txt"]);
    expect(firsts(table.rows([2, 0]))).toEqual([3, 10]);
  });

  test("classes of an earlier table; numbers are classes, or a regression's values if asked", async () => {
    const path = folder({ "10/a.png": png(1), "9/a.png": png(2) });
    const table = await readImages(path, { target: "class" });
    expect([table.classes, targets(table)]).toEqual([
      ["9", "10"],
      [1, 0],
    ]);
    expect(targets(await readImages(path, { classes: ["10", "x", "9"] }))).toEqual([0, 2]);
    expect(await failure(path, { classes: ["9"] })).toMatch(
      /:1: column "class" holds "10", which is none of the classes/,
    );
    expect(targets(await readImages(path, { task: "regression" }))).toEqual([10, 9]);
  });

  test("pictures without classes: a folder, a list, one alone", async () => {
    const path = folder({ "b.png": png(2), "a.png": png(1), "x.txt": "" });
    const flat = await readImages(path);
    expect([flat.ids, flat.targets, flat.classes, firsts(flat)]).toEqual([
      ["a.png", "b.png"],
      undefined,
      undefined,
      [1, 2],
    ]);
    const one = await readImages(join(path, "b.png"));
    expect([one.ids, firsts(one)]).toEqual([["b.png"], [2]]);
    const two = await readImages([join(path, "b.png"), join(path, "a.png")]);
    expect(firsts(two)).toEqual([1, 2]);
    expect(firsts(await readImages(picked({ "u.png": png(5), "v.png": png(6) })))).toEqual([5, 6]);
    expect(firsts(await readImages(new File([png(7) as BlobPart], "w")))).toEqual([7]);
  });

  test("pictures change as they are read, and a long folder comes in pieces", async () => {
    const path = folder({ "x/y/a.png": png(1), "x/b.png": png(2), "c.png": png(3) });
    const tables: Table[] = [];
    const transform: ImageOptions["transform"] = (picture) => resize(picture, [1, 4]);
    for await (const table of readImageRows(path, { batch: 2, transform, target: "class" })) tables.push(table);
    expect(tables.map(({ ids }) => ids)).toEqual([["c.png", "x/b.png"], ["x/y/a.png"]]);
    expect(tables.map(firsts)).toEqual([[3, 2], [1]]);
    expect(tables[1].images![0]).toMatchObject({ height: 1, width: 4 });
    expect(tables[0].targets).toBeUndefined();
  });

  test("what is broken is named, or left out if asked", async () => {
    const path = folder({
      "a/1.png": png(1),
      "a/2.png": "GIF89a",
      "b/3.jpg": png(3).subarray(0, 40),
      "b/4.png": png(4),
    });
    expect(await failure(path)).toMatch(
      /^\/f\d+\/a\/2\.png is a GIF; PNG and JPEG are read\.\n {2}Convert it to PNG\. Or leave it out \(--skip-bad; skipBad\)\.$/,
    );
    const table = await readImages(path, { skipBad: true });
    expect([table.ids, firsts(table), targets(table)]).toEqual([
      ["a/1.png", "b/4.png"],
      [1, 4],
      [0, 1],
    ]);
    expect(table.dropped.map(({ line, reason }) => [line, reason.replaceAll(root, "").replace(/f\d+/, "f")])).toEqual([
      [2, "/f/a/2.png is a GIF; PNG and JPEG are read."],
      [3, "/f/b/3.jpg: the PNG is cut short or damaged (it ends early)."],
    ]);
    expect(await failure(folder({ "a/1.png": "" }), { skipBad: true })).toMatch(
      /every row has a mistake, e\.g\. line 1/,
    );
  });

  test("folders that may mean something else", async () => {
    const a = { "a/1.png": png(1) };
    expect(await failure(folder({ ...a, "b/": "" }))).toMatch(/the class folder "b" holds no pictures\.\n/);
    expect(await failure(folder({ ...a, "b/x.txt": "" }))).toMatch(/the class folder "b" holds no pictures\.\n/);
    expect(await failure(folder({ ...a, "2.png": png(2) }))).toMatch(
      /2\.png lies beside the class folder a: which class/,
    );
    expect(await failure(folder({ "train/a/1.png": png(1) }))).toMatch(
      /train\/a\/1\.png lies in a folder of a folder; .*\n {2}Give one of the folders in it, such as \/f\d+\/train/,
    );
    expect(await failure(folder({ "1.png": png(1) }), { target: "class" })).toMatch(
      /has no "class": its pictures lie in one/,
    );
    expect(await failure(folder(a), { target: "kind" })).toMatch(
      /has no target column "kind"\.\n {2}It has "file", "class"/,
    );
    expect(await failure(folder({}))).toMatch(/holds no pictures; it is empty\.\n {2}Expected a folder for each class/);
    expect(await failure(folder({ "l.csv": "" }))).toMatch(/only l\.csv\.\n {2}If l\.csv is the table, give that file/);
    expect(await failure(folder({ "x-images-idx3-ubyte": "" }))).toMatch(
      /Give one of the IDX files: .*x-images-idx3-ubyte/,
    );
    expect(await failure(join(root, "nowhere"))).toMatch(/nowhere: there is no such file/);
    expect(await failure(folder(a), { target: ["u", "v"] })).toMatch(/have one target, not 2/);
  });
});

/** An IDX file. */
function idx(type: number, shape: number[], values: number[]): Uint8Array {
  const head = [0, 0, type, shape.length, ...shape.flatMap((n) => [n >> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255])];
  if (type === 8) return Uint8Array.from([...head, ...values]);
  const floats = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => floats.setFloat32(4 * i, value));
  return Uint8Array.from([...head, ...new Uint8Array(floats.buffer)]);
}

describe("IDX", () => {
  const images = idx(8, [3, 1, 2], [1, 2, 3, 4, 5, 6]);
  const labels = idx(8, [3], [7, 10, 7]);

  test("images with labels, gzipped or not, by their names", async () => {
    for (const pack of [(data: Uint8Array) => data, (data: Uint8Array) => gzipSync(data)]) {
      const path = folder({
        "t-images-idx3-ubyte": pack(images),
        "t-labels-idx1-ubyte.gz": gzipSync(labels),
        "u-labels-idx1-ubyte": "",
      });
      const table = await readImages(join(path, "t-images-idx3-ubyte"));
      expect([table.ids, table.classes, targets(table)]).toEqual([
        ["1", "2", "3"],
        ["7", "10"],
        [0, 1, 0],
      ]);
      expect([table.targets!.names, firsts(table)]).toEqual([["labels"], [1, 3, 5]]);
      expect(targets(await readImages(join(path, "t-images-idx3-ubyte"), { task: "regression" }))).toEqual([7, 10, 7]);
    }
    const list = picked({ "t-images.idx3-ubyte": images, "t-labels.idx1-ubyte": labels });
    expect(targets(await readImages(list))).toEqual([0, 1, 0]);
  });

  test("names of classes and ids beside it; signals, colours and floats", async () => {
    const path = folder({
      ...{ "t-patterns-idx2-ubyte": idx(8, [2, 3], [1, 2, 3, 4, 5, 6]), "t-y-idx1-ubyte": idx(8, [2], [1, 0]) },
      ...{ "classes.txt": "zeta\nalpha\nnever\n", "t-ids.txt.gz": gzipSync(text("mp-1\nmp-2\n")) },
      ...{
        "c-images-idx4-ubyte": idx(8, [1, 3, 1, 2], [1, 2, 3, 4, 5, 6]),
        "f-images-idx3-float": idx(13, [1, 1, 2], [0.5, -2]),
      },
    });
    const signals = await readImages(join(path, "t-patterns-idx2-ubyte"));
    expect([signals.ids, signals.classes, targets(signals)]).toEqual([
      ["mp-1", "mp-2"],
      ["zeta", "alpha", "never"],
      [1, 0],
    ]);
    expect(signals.images![1]).toEqual({ width: 3, height: 1, channels: 1, data: Uint8Array.of(4, 5, 6) });
    expect((await readImages(join(path, "c-images-idx4-ubyte"))).images![0]).toMatchObject({
      width: 2,
      height: 1,
      channels: 3,
    });
    expect((await readImages(join(path, "f-images-idx3-float"))).images![0].data).toEqual(Float32Array.of(0.5, -2));
  });

  test("several files of labels: one is chosen", async () => {
    const path = join(
      folder({
        "t-x-idx3-ubyte": images,
        "t-system-idx1-ubyte": labels,
        "t-group-idx1-ubyte": idx(8, [3], [0, 1, 1]),
        "classes.txt": "a\nb",
      }),
      "t-x-idx3-ubyte",
    );
    expect(await failure(path)).toMatch(
      /several files of labels beside it: group, system\.\n {2}Choose one: --target group/,
    );
    expect((await readImages(path, { target: "group" })).classes).toEqual(["a", "b"]);
    expect((await readImages(path, { target: ["system"] })).classes).toEqual(["7", "10"]);
    expect(await failure(path, { target: "groop" })).toMatch(
      /no file of labels for the target "groop"\.\n {2}Did you mean "group"\?/,
    );
    for await (const table of readImageRows(path)) expect([table.targets, table.length]).toEqual([undefined, 3]);
  });

  test("files that do not fit", async () => {
    const read = (files: Files, options?: ImageOptions) => failure(join(folder(files), Object.keys(files)[0]), options);
    const good = { "t-images-idx3-ubyte": images };
    expect(await read({ "t-images-idx3-ubyte": images.subarray(0, 20) })).toMatch(
      /has 4 bytes for an array of 3 × 1 × 2, which takes 6\.\n {2}It is cut short/,
    );
    expect(await read({ "t-labels-idx1-ubyte": labels })).toMatch(/holds labels, not images/);
    expect(await read({ ...good, "t-labels-idx1-ubyte": idx(8, [2], [0, 1]) })).toMatch(
      /has 2 labels for the 3 images/,
    );
    expect(await read({ ...good, "t-labels-idx1-ubyte": labels, "classes.txt": "a\nb\n" })).toMatch(
      /classes\.txt names 2 classes, 0 … 1, but row 1 has the label 7/,
    );
    expect(await read({ ...good, "t-ids.txt": "a\n" })).toMatch(/t-ids\.txt has 1 lines for the 3 images/);
    expect(await read(good, { target: "labels" })).toMatch(
      /no file of labels beside it\.\n {2}Expected t-labels-idx1-ubyte/,
    );
    expect(await read({ x: Uint8Array.of(0, 0, 5, 1, 0, 0, 0, 0) })).toMatch(/is no IDX file/);
    expect(await read({ x: idx(8, [0, 2, 2], []) })).toMatch(/is empty: its shape is 0 × 2 × 2/);
  });
});

describe("tables", () => {
  const csv = (content: string, options: ImageOptions = {}) => readImages(text(content), { file: "a.csv", ...options });
  const wrong = (content: string, options: ImageOptions = {}) => failure(text(content), { file: "a.csv", ...options });

  test("a column for each pixel", async () => {
    const table = await csv("label,1x1,1x2,2x1,2x2\n5,0,255,3,4\n3,9,8,7,6\n");
    expect([table.classes, targets(table), table.targets!.names]).toEqual([["3", "5"], [1, 0], ["label"]]);
    expect(table.images![0]).toEqual({ width: 2, height: 2, channels: 1, data: Uint8Array.of(0, 255, 3, 4) });
    const bare = await csv("5,0,255,3,4\n3,9,8,7,6\n");
    expect([bare.classes, targets(bare), firsts(bare), bare.length]).toEqual([["3", "5"], [1, 0], [0, 9], 2]);
    expect((await csv("1,2,3,4\n")).targets).toBeUndefined();
    expect(targets(await csv("digit,a,b,c,d\n1,0,0,0,0\n2,0,0,0,0\n"))).toEqual([0, 1]);
  });

  test("signals, floats, ids, other targets", async () => {
    const table = await csv("id,p,q,r,y,note\ns1,0.5,1,2,1.5,u\ns2,-1,0,0,2.5,v\n", {
      target: "y",
      imageSize: [1, 3],
      ignore: ["note"],
    });
    expect([table.ids, targets(table), table.classes]).toEqual([["s1", "s2"], [1.5, 2.5], undefined]);
    expect(table.images![1]).toEqual({ width: 3, height: 1, channels: 1, data: Float32Array.of(-1, 0, 0) });
    const resized = await csv("label,a,b,c,d\n1,0,0,0,0\n", { imageSize: [8, 8] });
    expect(resized.images![0]).toMatchObject({ width: 2, height: 2 });
    const many = `image,y\n${"a.png,1\n".repeat(3)}`;
    const sampled = readImageRows(picked({ "t.csv": many, "a.png": png(1) }), { batch: 2, numeric: ["*"] });
    const lengths: number[] = [];
    for await (const piece of sampled) lengths.push(firsts(piece).filter((value) => value === 1).length);
    expect(lengths).toEqual([2, 1]);
    const pieces = readImageRows(text("kind,p,q,r,s\na,1,2,3,4\n"), { file: "a.csv", target: "kind" });
    for await (const piece of pieces) expect([firsts(piece), piece.targets]).toEqual([[1], undefined]);
  });

  test("mistakes in pixels", async () => {
    expect(await wrong("label,a,b,c,d\n1,2,x,4,5\n")).toMatch(
      /a\.csv:2: column "b" holds "x", which is not a finite number/,
    );
    const left = await csv("label,a,b,c,d\n1,2,x,4,5\n1,2,3,4,5\n", { skipBad: true });
    expect([left.length, left.dropped]).toEqual([
      1,
      [{ line: 2, reason: 'column "b" holds "x", which is not a finite number.' }],
    ]);
    expect(await wrong("label,a,b,c\n1,2,3,4\n")).toMatch(
      /3 columns of pixels make no square\.\n {2}Give their size: --image-size/,
    );
    expect(await wrong("1,2,3\n1,2,3\n")).toMatch(/3 columns of pixels make no square/);
    expect(await wrong("label,a,b,c\n1,2,3,4\n", { imageSize: [2, 2] })).toMatch(
      /3 columns of pixels are not 2 × 2 = 4/,
    );
    expect(await wrong("label,a,b,c,d\n")).toMatch(/^a\.csv is empty\.\n {2}It has a header, but no rows/);
    expect(await wrong("")).toMatch(/^a\.csv is empty/);
  });

  test("a column of files", async () => {
    const path = folder({
      "sub/a.png": png(1),
      "b.png": png(2),
      "t.csv": "image,strength\nsub/a.png,1.5\nb.png,2.5\n",
      "l.jsonl": '{"file": "b.png", "label": 3}\n{"file": "sub/a.png", "label": 4}\n',
      "bad.csv": "image,y\nb.png,1\nnone.png,2\n",
      "one-line.json": '[{"file": "b.png"}, {"file": "sub/a.png"}]',
    });
    const table = await readImages(join(path, "t.csv"), { target: "strength" });
    expect([table.ids, targets(table), firsts(table), table.classes]).toEqual([
      ["sub/a.png", "b.png"],
      [1.5, 2.5],
      [1, 2],
      undefined,
    ]);
    const labelled = await readImages(join(path, "l.jsonl"));
    expect([labelled.classes, targets(labelled), firsts(labelled)]).toEqual([
      ["3", "4"],
      [0, 1],
      [2, 1],
    ]);
    expect(await failure(join(path, "bad.csv"), { target: "y" })).toMatch(/none\.png: there is no such file/);
    const left = await readImages(join(path, "bad.csv"), { target: "y", skipBad: true });
    expect([left.ids, left.dropped.length]).toEqual([["b.png"], 1]);
    expect(await failure(join(path, "one-line.json"))).toMatch(/two records begin on this line/);
    const list = picked({ "t.csv": "image,y\nb.png,1\na.png,2\n", "a.png": png(1), "b.png": png(2) });
    expect(firsts(await readImages(list, { target: "y" }))).toEqual([2, 1]);
    expect(await failure(picked({ "t.csv": "image,y\nc.png,1\n", "a.png": png(1) }))).toMatch(
      /t\.csv:2: "c\.png" is not among the files/,
    );
    expect(await failure(text("image\nc.png\n"), { file: "t.csv" })).toMatch(/t\.csv:2: the table names "c\.png"/);
  });
});

test("hasImages tells at a glance", async () => {
  const path = folder({
    ...{
      "classes/a/1.png": "",
      "flat/1.JPG": "",
      "cifs/a.cif": "",
      "cifs/plot.png": "",
      "none/x.txt": "",
      "idx/t-images-idx3-ubyte.gz": "",
    },
    ...{ "t.csv": "image,y\na.png,1\n", "u.csv": "formula,y\nNaCl,1\n", "p.png": "", "t10k-images.idx3-ubyte": "" },
  });
  const has = async (...names: string[]) => {
    for (const name of names) expect([name, await hasImages(join(path, name))]).toEqual([name, true]);
  };
  await has("classes", "flat", "idx", "t.csv", "p.png", "t10k-images.idx3-ubyte", "idx/t-images-idx3-ubyte.gz");
  for (const name of ["cifs", "none", "u.csv", "nowhere", "none/x.txt"])
    expect([name, await hasImages(join(path, name))]).toEqual([name, false]);
});
