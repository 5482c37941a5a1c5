import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { buildIfStale } from "./helpers/build.ts";
import { folder, spinel } from "./helpers/spinel.ts";

/** Nets of a graph's nodes, from the graph to predictions. */
const { path, remove } = folder();
const run = (...args: string[]) => spinel(path, args);
const file = (name: string): string => readFileSync(join(path, name), "utf8");

/** Two rings of ten nodes with a bridge: numbers say a little of the class, neighbours the rest. */
const NODES = Array.from({ length: 20 }, (_, i) => i);
const EDGES = [...NODES.map((i) => [i, i % 10 === 9 ? i - 9 : i + 1]), [0, 10]];
const KIND = NODES.map((i) => (i === 4 ? "" : i < 10 ? "left" : "right"));
const GRAPH = {
  edges: EDGES,
  labels: KIND.map((kind) => kind || null),
  features: NODES.map((i) => [(i * 7) % 5, i < 10 ? (i % 3 === 0 ? 1 : 0) : 1]),
  train: [0, 1, 6, 10, 13, 16],
  val: [2, 12],
  test: [3, 5, 7, 14, 15],
};

beforeAll(async () => {
  await buildIfStale();
  writeFileSync(join(path, "rings.json"), JSON.stringify(GRAPH));
  mkdirSync(join(path, "rings"));
  const rows = NODES.map((i) => `n${i},${GRAPH.features[i].join(",")},${KIND[i]}`);
  writeFileSync(join(path, "rings/nodes.csv"), `id,a,b,kind\n${rows.join("\n")}\n`);
  writeFileSync(
    join(path, "rings/edges.csv"),
    `source,target\n${EDGES.map((edge) => edge.map((i) => `n${i}`).join(",")).join("\n")}\n`,
  );
}, 300_000);
afterAll(remove);

const TRAIN = ["--epochs", "40", "--threads", "1", "-q"];

describe("spinel train gcn and its kin", () => {
  test("the karate club: learned from its two leaders", async () => {
    const { code, stderr } = await run(
      "train",
      "gcn",
      "--data",
      "embedded:karate",
      "--out",
      "club",
      "--threads",
      "1",
      "-q",
    );
    expect([code, stderr]).toEqual([0, ""]);
    const results = JSON.parse(file("club/results.json"));
    expect(results).toMatchObject({
      model: "gcn",
      target: "faction",
      classes: ["instructor", "president"],
      epochs: 200,
    });
    expect(results.figures.test.accuracy).toBeGreaterThan(0.85);
    expect(file("club/predictions.csv").split("\n")).toHaveLength(4 + 28 + 2);
    expect(file("club/report.html")).toContain("GCN: faction");

    const predicted = await run("predict", "club", "embedded:karate");
    const lines = predicted.stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(35);
    expect(lines[0]).toBe("id,predicted faction,probability instructor,probability president");
    expect([lines[1].split(",")[1], lines[34].split(",")[1]]).toEqual(["instructor", "president"]);
    const info = await run("info", "club");
    expect(info.stdout).toContain("of a node identity");
  });

  test.each([
    ["gat", ["--hidden", "4", "--heads", "2"], "convs.0.att_src"],
    ["sage", ["--aggregator", "max"], "convs.0.lin.weight"],
    ["gin", ["--hidden", "8,8"], "convs.2.nn.0.weight"],
  ])("%s, from JSON", async (model, options, tensor) => {
    const { code, stdout, stderr } = await run(
      "train",
      model,
      "--data",
      "rings.json",
      "--out",
      model,
      ...options,
      ...TRAIN,
      "--json",
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout).figures.test.accuracy).toBeGreaterThan(0.3);
    expect(decodeSafetensors(readFileSync(join(path, model, "model.safetensors"))).tensors.has(tensor)).toBe(true);
    expect(file(`${model}/predictions.csv`).split("\n")).toHaveLength(2 + 5 + 2);
  });

  test("two tables, shares held out; the run again from its configuration, and predictions of nodes without a class", async () => {
    const shares = ["--test-fraction", "0.3", "--val-fraction", "0.2"];
    const { code, stderr } = await run(
      "train",
      "gcn",
      "--data",
      "rings",
      "--target",
      "kind",
      "--out",
      "tables",
      ...shares,
      ...TRAIN,
    );
    expect([code, stderr]).toEqual([0, ""]);
    const config = JSON.parse(file("tables/config.json"));
    expect(config).toMatchObject({ model: "gcn", hidden: [16], weightDecay: 5e-4, optimizer: "adam", target: "kind" });
    expect(config.batchSize).toBeUndefined();
    expect(config.sha256.data).toMatch(/^[0-9a-f]{64}$/);
    const again = await run("train", "--config", "tables/config.json", "--out", "again", "-q");
    expect([again.code, again.stderr]).toEqual([0, ""]);
    const weights = (name: string) => readFileSync(join(path, name, "model.safetensors"));
    expect(weights("again")).toEqual(weights("tables"));
    const predicted = await run("predict", "tables", "rings", "--top", "1");
    const lines = predicted.stdout.trimEnd().split("\n");
    expect([lines.length, lines[0], lines[5].split(",")[0]]).toEqual([21, "id,predicted kind,probability", "n4"]);
  });
});

describe.concurrent("mistakes are named", () => {
  const broken = (name: string, change: object): string => {
    writeFileSync(join(path, name), JSON.stringify({ ...GRAPH, ...change }));
    return name;
  };
  test.each([
    [["gcn", "--data", "nothing.json"], /nothing.json: there is no such file/],
    [["gcn", "--data", "embedded:ionic"], /embedded:ionic is no graph of nodes[\s\S]*embedded:karate/],
    [
      ["mlp", "--data", "embedded:karate", "--target", "faction"],
      /is a graph; mlp does not learn from its nodes[\s\S]*gcn/,
    ],
    [["gcn", "--data", "rings/nodes.csv"], /nodes.csv is a table; a graph needs two/],
    [["gcn", "--data", "rings"], /no classes; two are needed/],
    [["gcn", "--data", "rings", "--target", "sort"], /no target column "sort"/],
    [["gcn", "--data", "rings.json", "--target", "sort"], /has no column "sort"/],
    [["gcn", "--data", "rings.json", "--folds", "3"], /--folds is not for gcn/],
    [["gcn", "--data", "rings.json", "--heads", "3"], /--heads is for gat; the model is gcn/],
    [["gcn", "--data", () => broken("far.json", { edges: [[0, 20]] })], /far.json: "edges"\[0\] names the node "20"/],
    [["gcn", "--data", () => broken("one.json", { labels: NODES.map(() => "a") })], /one class, "a"/],
  ] as [(string | (() => string))[], RegExp][])("%s", async (args, message) => {
    const given = args.map((arg) => (typeof arg === "string" ? arg : arg()));
    const { code, stdout, stderr } = await run("train", ...given, "--epochs", "2", "-q");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/ at .*\.js:/);
  });

  test("a graph that the model has not learned to read", async () => {
    await run("train", "gcn", "--data", "rings.json", "--out", "small", "--epochs", "2", "-q");
    const { code, stderr } = await run("predict", "small", "embedded:karate");
    expect([code, stderr.split("\n")[0]]).toEqual([
      1,
      "spinel: embedded:karate: its nodes are described by 34 names, the model has learned from 2 numbers.",
    ]);
  });
});
