import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeImage } from "../../src/data/imageCodec.ts";
import { decodeNpy } from "../../src/io/npy.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { buildIfStale } from "./helpers/build.ts";
import { CLASSES, classFolders, idx, picture, write } from "./helpers/pictures.ts";
import { folder, spinel } from "./helpers/spinel.ts";

/** A net of images from its pictures to predictions, features and explanations: all of one run. */
const { path, remove } = folder();
const run = (...args: string[]) => spinel(path, args);
const TRAIN = ["--epochs", "4", "--batch-size", "8", "--test-fraction", "0.25", "--threads", "1", "-q"];

beforeAll(async () => {
  await buildIfStale();
  write(join(path, "pics"), classFolders(CLASSES, 12));
  write(join(path, "two"), classFolders(["rows", "dots"], 6));
  write(join(path, "two"), { "dots/broken.png": "no picture" });
  const { code, stderr } = await run(
    "train",
    "tinyvgg",
    "--data",
    "pics",
    "--out",
    "run",
    "--augment",
    "shift:1",
    ...TRAIN,
  );
  expect([code, stderr]).toEqual([0, ""]);
}, 300_000);
afterAll(remove);

const text = (name: string): string => readFileSync(join(path, name), "utf8");
const lines = (csv: string): string[][] =>
  csv
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
const weights = (name: string) => decodeSafetensors(readFileSync(join(path, name))).tensors;

describe.concurrent("a run on a folder of pictures", () => {
  test("config.json holds what it depends on; the same configuration gives the same model", async () => {
    const config = JSON.parse(text("run/config.json"));
    expect(config).toMatchObject({ model: "tinyvgg", target: "class", augment: "shift:1", batchSize: 8, lr: 1e-3 });
    expect(config.sha256.data).toMatch(/^[0-9a-f]{64}$/);
    const again = await run("train", "--config", "run/config.json", "--out", "again", "--threads", "2", "-q");
    expect(again.code).toBe(0);
    expect(readFileSync(join(path, "again/model.safetensors"))).toEqual(
      readFileSync(join(path, "run/model.safetensors")),
    );
  });

  test("report.html shows the mistakes, where the net looks, and its filters", () => {
    const report = text("run/report.html");
    const card = (title: string): string =>
      report.split("<section").find((part) => part.includes(`<h2>${title}</h2>`)) ?? "";
    const pictures = (title: string): number => card(title).split('<img src="data:image/png;base64,').length - 1;
    const wrong = lines(text("run/predictions.csv")).filter(
      ([, , split, truth, says]) => split === "test" && truth !== says,
    );
    expect(pictures("Worst cases")).toBe(wrong.length);
    expect([pictures("Where it looks"), pictures("First layer")]).toEqual([6, 10]);
    expect(card("Where it looks")).toContain("Grad-CAM");
    expect(statSync(join(path, "run/report.html")).size).toBeLessThan(2e6);
  });

  test("predict: the same as at the end of the run; --top; ids are the files as named", async () => {
    const all = lines((await run("predict", "run", "pics")).stdout);
    expect(all[0]).toEqual(["id", "predicted class", ...CLASSES.map((name) => `probability ${name}`)]);
    const found = new Map(all.map(([id, , ...p]) => [id, p.map(Number)]));
    for (const [id, , , , , ...p] of lines(text("run/predictions.csv")).slice(1))
      p.forEach((value, k) => void expect(found.get(id)![k]).toBeCloseTo(Number(value), 5));
    const { stdout, stderr } = await run(
      "predict",
      "run",
      "pics/rows/0.png",
      "two/dots/broken.png",
      "--top",
      "2",
      "--skip-bad",
    );
    expect(stderr).toMatch(/left out: .*broken\.png is no picture/);
    const [header, first, ...rest] = lines(stdout);
    expect([header, rest]).toEqual([["id", "predicted class", "probability", "class 2", "probability 2"], []]);
    expect(first[0]).toBe("pics/rows/0.png");
    expect(Number(first[2])).toBeCloseTo(Math.max(...found.get("rows/0.png")!), 5);
    expect(Number(first[4])).toBeLessThanOrEqual(Number(first[2]));
  });

  test("features: what the last layer sees, or a layer puts out", async () => {
    const { stderr } = await run("features", "run", "pics/rows", "--out", "f.npy");
    expect(stderr).toBe("12 × 10 features in f.npy, the rows' ids in f.csv\n");
    const { shape, data } = decodeNpy(readFileSync(join(path, "f.npy")));
    expect([shape, lines(text("f.csv")).length]).toEqual([[12, 10], 13]);
    const { data: w } = weights("run/model.safetensors").get("output.weight")!;
    const { data: b } = weights("run/model.safetensors").get("output.bias")!;
    const [row] = lines((await run("predict", "run", "pics/rows/0.png")).stdout).slice(1);
    const logits = CLASSES.map((_, k) =>
      Array.from({ length: 10 }, (_, i) => Number(w[10 * k + i]) * Number(data[i])).reduce(
        (x, y) => x + y,
        Number(b[k]),
      ),
    );
    const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
    logits.forEach((z, k) => void expect(Math.exp(z) / total).toBeCloseTo(Number(row[2 + k]), 5));
    await run("features", "run", "pics/rows", "--out", "maps.npy", "--layer", "conv_2_1", "--flatten");
    expect(decodeNpy(readFileSync(join(path, "maps.npy"))).shape).toEqual([12, 10 * 4 * 4]);
  });

  test("--hidden none is logistic regression on pixels", async () => {
    const { code } = await run("train", "mlp", "--data", "pics", "--hidden", "none", "--out", "logistic", ...TRAIN);
    expect([code, JSON.parse(text("logistic/results.json")).parameters]).toEqual([0, 3 * 256 + 3]);
    expect(text("logistic/report.html")).toContain("no hidden layer: logistic regression");
    expect(text("logistic/report.html")).toContain("3 outputs&#39; weights, each from");
  });

  test("explain: a picture of each kind, and a page with all of them", async () => {
    const { code, stderr } = await run(
      "explain",
      "run",
      "pics/dots/0.png",
      "--out",
      "why",
      "--layer",
      "conv_1_1",
      "--class",
      "rows",
    );
    expect([code, stderr]).toEqual([0, "1 image explained: why/index.html\n"]);
    const names = readdirSync(join(path, "why")).sort();
    const kinds = ["grad-cam", "image", "layer-conv-1-1", "occlusion", "saliency"];
    expect(names).toEqual(["index.html", ...kinds.map((kind) => `pics_dots_0-${kind}.png`)]);
    const bytes = readFileSync(join(path, "why", "pics_dots_0-grad-cam.png"));
    expect(decodeImage(bytes, { file: "grad-cam" })).toMatchObject({ width: 256, height: 256, channels: 3 });
    expect(text("why/index.html").match(/<img /g)).toHaveLength(5);
  });

  test("explain: generated images; a net that predicts numbers has no occlusion", async () => {
    const { stdout } = await run("predict", "run", "embedded:microstructures?count=5", "--top", "1");
    expect(lines(stdout)).toHaveLength(6);
    const rows = Array.from({ length: 12 }, (_, i) => `pics/rows/${i}.png,${i}`);
    write(path, { "numbers.csv": `file,depth\n${rows.join("\n")}\n` });
    const net = ["train", "tinyvgg", "--data", "numbers.csv", "--target", "depth", "--unit", "mm", "--out", "numbers"];
    expect((await run(...net, ...TRAIN)).code).toBe(0);
    expect((await run("explain", "numbers", "pics/rows/0.png", "--out", "depths")).code).toBe(0);
    const kinds = ["grad-cam", "image", "saliency"].map((kind) => `pics_rows_0-${kind}.png`);
    expect(readdirSync(join(path, "depths")).sort()).toEqual(["index.html", ...kinds]);
    expect(text("depths/index.html")).toMatch(/predicted [\d.-]+ mm/);
    const { code, stderr } = await run("predict", "pics", "run");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^spinel: pics is no run with a model/)]);
  });

  test("--init and --freeze: learned features stay, the head is new", async () => {
    const { code, stderr } = await run(
      ...["train", "tinyvgg", "--data", "two", "--skip-bad", "--init", "run", "--freeze", "conv_1_*,conv_2_1*"],
      ...["--out", "tuned", "--epochs", "1", "--threads", "1"],
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/two: 1 row left out:\n {2}.*broken\.png/);
    expect(stderr).toMatch(
      / {2}weights {3}of run\S*; new: output\.weight, output\.bias\n {2}frozen {4}1\.9\dk of 2\.85k parameters/,
    );
    const [before, after] = [weights("run/model.safetensors"), weights("tuned/model.safetensors")];
    for (const name of ["conv_1_1.weight", "conv_2_1.bias"]) expect(after.get(name)).toEqual(before.get(name));
    expect(after.get("conv_2_2.weight")).not.toEqual(before.get("conv_2_2.weight"));
    expect(after.get("output.weight")!.shape).toEqual([2, 10]);
  });

  test("info: a set of images, a model of them, the layers", async () => {
    expect((await run("info", "pics")).stdout).toBe(
      "file: pics\nkind: images\nrows: 36\nsizes, height × width: 16 × 16 36\nchannels: 1 36\ntarget: class\nclasses:\n" +
        "  columns  12\n  dots  12\n  rows  12\n",
    );
    expect((await run("info", "run")).stdout).toContain("features: images 1 × 16 × 16, fit stretch, bytes true");
    expect((await run("info", "run", "--layers")).stdout).toContain(
      "\nconv_1_2    Conv2d     10 × 12 × 12         910  129,600  5 × 5\n",
    );
    const { stdout } = await run("info", "lenet", "--layers", "--json");
    const { total, layers } = JSON.parse(stdout);
    expect([total.parameters, layers[1]]).toEqual([
      62902,
      { name: "pool1", type: "MaxPool2d", output: "6 × 14 × 14", parameters: 0, macs: 0, sees: "6 × 6" },
    ]);
  });

  test("IDX with labels, pictures of other sizes, and signals in a CSV", async () => {
    const images = Array.from({ length: 24 }, (_, i) => picture(CLASSES[i % 3], i, 8));
    write(join(path, "idx"), {
      "train-images-idx3-ubyte": idx(
        [24, 8, 8],
        images.flatMap(({ data }) => [...data]),
      ),
      "train-labels-idx1-ubyte": idx(
        [24],
        images.map((_, i) => i % 3),
      ),
    });
    const mlp = ["train", "mlp", "--data", "idx/train-images-idx3-ubyte", "--hidden", "8", "--out", "mlp", ...TRAIN];
    expect((await run(...mlp)).code).toBe(0);
    expect(JSON.parse(text("mlp/config.json")).target).toBe("labels");
    // A picture of another size is brought to that of the training images.
    expect(lines((await run("predict", "mlp", "pics/rows/1.png")).stdout)).toHaveLength(2);

    const row = (i: number) => [i % 2, ...Array.from({ length: 40 }, (_, x) => Math.sin((x * (1 + (i % 2)) + i) / 3))];
    const rows = Array.from({ length: 24 }, (_, i) => row(i).join());
    write(path, { "waves.csv": `label,${Array.from({ length: 40 }, (_, x) => `p${x}`).join()}\n${rows.join("\n")}\n` });
    const cnn = ["train", "cnn1d", "--data", "waves.csv", "--image-size", "1x40", "--out", "waves", ...TRAIN];
    expect(await run(...cnn)).toMatchObject({ code: 0, stderr: "" });
    expect(text("waves/report.html")).toContain("25 filters of 5, each from its lowest weight to its highest.");
  });
});
