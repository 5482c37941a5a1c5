import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/io/safetensors.ts";
import { buildIfStale } from "./helpers/build.ts";
import { folder, shell, spinel } from "./helpers/spinel.ts";
import { csv, QUICK, ROWS, row, writeTables } from "./helpers/tables.ts";

const { path, remove } = folder();
const MODEL = "alloys/model.safetensors";

beforeAll(async () => {
  await buildIfStale();
  writeTables(path);
  writeFileSync(join(path, "substances.csv"), csv(["id", "formula", "strength"], { rename: { formula: "substance" } }));
  const train = (out: string, data: string, target: string, ...rest: string[]) =>
    spinel(path, ["train", "mlp", "--data", data, "--target", target, "--out", out, ...QUICK, "-q", ...rest]);
  const runs = await Promise.all([
    train("alloys", "alloys.csv", "strength", "--val", "alloys.csv"),
    train("numbers", "numbers.csv", "y", "--numeric", "a,b", "--categorical", "kind"),
    train("phases", "phases.csv", "phase"),
    train("substances", "substances.csv", "strength", "--formula", "substance"),
  ]);
  for (const { code, stderr } of runs) expect([code, stderr]).toEqual([0, ""]);
  writeFileSync(join(path, "cut.safetensors"), readFileSync(join(path, MODEL)));
  truncateSync(join(path, "cut.safetensors"), 3000);
  const foreign = encodeSafetensors(new Map([["w", { shape: [2], data: new Float32Array(2) }]]));
  writeFileSync(join(path, "foreign.safetensors"), foreign);
}, 300_000);
afterAll(remove);

const read = (name: string): string => readFileSync(join(path, name), "utf8");
const predict = (...args: string[]) => spinel(path, ["predict", ...args]);

/** Predictions for the rows of alloys.csv, as the run itself has reported them. */
const expected = (): Map<string, string> => {
  const rows = read("alloys/predictions.csv").trimEnd().split("\n").slice(1);
  return new Map(rows.map((line) => line.split(",")).map((cells) => [cells[0], cells[4]]));
};

describe.concurrent("spinel predict", () => {
  test("needs no target, and gives what the run reported", async () => {
    const { code, stdout, stderr } = await predict(MODEL, "new.csv");
    expect([code, stderr]).toEqual([0, ""]);
    const [header, ...lines] = stdout.trimEnd().split("\n");
    expect(header).toBe("id,formula,predicted strength");
    const reported = expected();
    expect(lines).toEqual(Array.from({ length: ROWS }, (_, i) => `s${i},${row(i).formula},${reported.get(`s${i}`)}`));
  });

  test("a run's folder, gzip, JSON lines and several files will do", async () => {
    const plain = (await predict(MODEL, "alloys.csv")).stdout;
    expect((await predict("alloys", "alloys.csv.gz")).stdout).toBe(plain);
    expect((await predict("alloys", "alloys.jsonl", "--threads", "2")).stdout).toBe(plain);
    expect((await predict("alloys", "alloys.csv", "new.csv")).stdout).toBe(
      plain + plain.slice(plain.indexOf("\n") + 1),
    );
  });

  test("- is standard input", async () => {
    const { code, stdout } = await spinel(path, ["predict", "alloys", "-"], { stdin: "formula\nFe2O3\nNaCl\n" });
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^id,formula,predicted strength\n1,Fe2O3,\S+\n2,NaCl,\S+\n$/),
    ]);
    const { code: failed, stderr } = await spinel(path, ["predict", "alloys", "-"], { stdin: "formula\nFe2O3\nXx\n" });
    expect([failed, stderr]).toEqual([
      1,
      'spinel: standard input:3: formula "Xx", position 1: there is no element "Xx".\n',
    ]);
  });

  test("classes come with their probabilities, also as JSON lines", async () => {
    const table = (await predict("phases", "phases.csv")).stdout.split("\n");
    expect(table[0]).toBe('id,predicted phase,probability beta,"probability gamma, mixed",probability α');
    const records = (await predict("phases", "phases.csv", "--json")).stdout
      .trimEnd()
      .split("\n")
      .map((l) => JSON.parse(l));
    expect(records.length).toBe(ROWS);
    for (const { id, "predicted phase": predicted, ...probabilities } of records) {
      const values = Object.values<number>(probabilities);
      expect(values.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      expect(probabilities[`probability ${predicted}`]).toBe(Math.max(...values));
      expect(id).toMatch(/^s\d+$/);
    }
  });

  test("-o writes a file that is whole or not there", async () => {
    expect(await predict(MODEL, "new.csv", "-o", "out.csv")).toEqual({
      code: 0,
      stdout: "",
      stderr: "60 predictions in out.csv\n",
    });
    expect(read("out.csv")).toBe((await predict(MODEL, "new.csv")).stdout);
    writeFileSync(join(path, "late.csv"), csv(["id", "formula"], { change: { 50: { formula: "Qq" } } }));
    const { code, stderr } = await predict(MODEL, "new.csv", "late.csv", "-o", "none.csv");
    expect([code, stderr]).toEqual([1, expect.stringContaining("late.csv:52: ")]);
    expect(readdirSync(path).filter((name) => /none|tmp/.test(name))).toEqual([]);
  });

  test("-o does not overwrite what is being read", async () => {
    const before = read("new.csv");
    const { code, stderr } = await predict(MODEL, "new.csv", "-o", "./new.csv");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^spinel: \.\/new\.csv is one of the files to predict from/),
    ]);
    expect(read("new.csv")).toBe(before);
  });

  test("places that cannot be written to", async () => {
    expect((await predict(MODEL, "new.csv", "-o", "no/such/out.csv")).stderr).toMatch(
      /^spinel: Cannot write no\/such\/out\.csv: there is no such/,
    );
    expect((await predict(MODEL, "new.csv", "-o", ".")).stderr).toMatch(/^spinel: Cannot write \.: it is a folder/);
    expect((await predict(MODEL, "new.csv", "-o", "new.csv/x")).stderr).toMatch(
      /^spinel: Cannot write new\.csv\/x: a part of the path/,
    );
  });

  if (existsSync("/dev/full"))
    test("a full disk", async () => {
      const { code, stderr } = await predict(MODEL, "new.csv", "-o", "/dev/full");
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^spinel: Cannot write \/dev\/full: the disk is full\.\n/),
      ]);
      const piped = await shell(path, `"$NODE" "$CLI" predict ${MODEL} new.csv > /dev/full`);
      expect([piped.code, piped.stderr]).toEqual([
        1,
        expect.stringMatching(/^spinel: standard output cannot be written: .*\n$/),
      ]);
    });

  if (process.platform !== "win32")
    test("a reader that has enough ends it quietly", async () => {
      writeFileSync(join(path, "long.csv"), `formula\n${"Fe2O3\n".repeat(30_000)}`);
      const { stdout, stderr } = await shell(
        path,
        `{ "$NODE" "$CLI" predict ${MODEL} long.csv; echo "status $?" >&2; } | head -n 2`,
      );
      expect(stdout).toMatch(/^id,formula,predicted strength\n1,Fe2O3,\S+\n$/);
      expect(stderr).toBe("status 0\n");
    });

  test("tables that do not fit the model", async () => {
    expect((await predict(MODEL, "numbers.csv")).stderr).toMatch(
      /^spinel: numbers\.csv has no formula column\.\n.*--formula/,
    );
    expect((await predict("numbers", "alloys.csv")).stderr).toMatch(
      /^spinel: alloys\.csv has no numeric column "a"\.\n {2}It has "id", /,
    );
    writeFileSync(join(path, "purple.csv"), csv(["id", "a", "b", "kind"], { change: { 7: { kind: "purple" } } }));
    const { stderr, stdout } = await predict("numbers", "purple.csv");
    expect(stderr).toMatch(
      /^spinel: purple\.csv:9: column "kind" holds "purple", which the training rows did not\.\n {2}They had "blue, light", "green", "red"/,
    );
    expect(stdout).toBe("");
  });

  test("the formula column is the one of training, or the one that is named", async () => {
    const rows = (await predict("substances", "substances.csv")).stdout;
    expect(rows.split("\n").length).toBe(ROWS + 2);
    expect((await predict("substances", "alloys.csv")).stderr).toMatch(
      /^spinel: alloys\.csv has no formula column "substance"\.\n.*"formula"/,
    );
    expect((await predict("substances", "alloys.csv", "--formula", "formula")).stdout).toBe(rows);
  });

  test("rows without values", async () => {
    writeFileSync(join(path, "gaps.csv"), csv(["id", "formula"], { change: { 4: { formula: "" } } }));
    expect((await predict(MODEL, "gaps.csv")).stderr).toMatch(
      /^spinel: gaps\.csv: values are missing in 1 of 60 rows: line 6 "formula"\.\n.*--drop-missing/,
    );
    const { code, stdout, stderr } = await predict(MODEL, "gaps.csv", "--drop-missing");
    expect([code, stderr]).toEqual([0, 'gaps.csv:6: left out: no value in "formula"\n']);
    expect(stdout.split("\n").length).toBe(ROWS + 1);
  });

  test("files that are no models", async () => {
    expect((await predict("alloys/checkpoint.safetensors", "new.csv")).stderr).toMatch(
      /holds weights but no spinel model\.\n {2}Give the model\.safetensors/,
    );
    expect((await predict("foreign.safetensors", "new.csv")).stderr).toMatch(
      /^spinel: foreign\.safetensors holds weights but no spinel model/,
    );
    expect((await predict("cut.safetensors", "new.csv")).stderr).toMatch(
      /^spinel: cut\.safetensors is not a valid safetensors file: .*\n {2}It may be damaged/,
    );
  });
});
