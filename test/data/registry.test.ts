import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { type DatasetEntry, datasets } from "../../src/data/datasets.ts";
import { dataDirectory, findDataset, getDataset, listDatasets } from "../../src/data/registry.ts";
import { file, noise, serve, sha256, status } from "./server.ts";

const content = noise(50_000);
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "spinel-data-"));
  return () => rmSync(directory, { recursive: true });
});
afterEach(() => void vi.unstubAllEnvs());

const entry = (url: string): DatasetEntry => ({
  ...findDataset("matbench_steels"),
  name: "mine",
  url,
  sha256: sha256(content),
  file: "mine.csv",
});

test("every entry can be fetched and verified, and no two share a name or a file", () => {
  for (const d of datasets) {
    expect(new URL(d.url).protocol, d.name).toBe("https:");
    expect(d.sha256, d.name).toMatch(/^[0-9a-f]{64}$/);
    expect(d.file, d.name).toMatch(/^[a-z0-9_]+\.(json\.gz|csv)$/);
    expect(d.rows, d.name).toBeGreaterThan(0);
    for (const text of [d.title, d.target, d.licence, d.citation]) expect(text, d.name).not.toBe("");
  }
  for (const key of ["name", "file", "url", "sha256"] as const)
    expect(new Set(datasets.map((d) => d[key])).size, key).toBe(datasets.length);
});

test("all 13 tasks of Matbench v0.1 are listed, with their official sizes", () => {
  const sizes = Object.fromEntries(
    datasets.flatMap((d) => (d.name.startsWith("matbench_") ? [[d.name.slice("matbench_".length), d.rows]] : [])),
  );
  expect(sizes).toEqual({
    dielectric: 4764,
    expt_gap: 4604,
    expt_is_metal: 4921,
    glass: 5680,
    jdft2d: 636,
    log_gvrh: 10987,
    log_kvrh: 10987,
    mp_e_form: 132752,
    mp_gap: 106113,
    mp_is_metal: 106113,
    perovskites: 18928,
    phonons: 1265,
    steels: 312,
  });
  const classification = datasets.filter((d) => d.task === "classification" && d.name.startsWith("matbench_"));
  expect(classification.map((d) => d.name)).toEqual([
    "matbench_expt_is_metal",
    "matbench_glass",
    "matbench_mp_is_metal",
  ]);
});

test("a data set is downloaded once, then found", async () => {
  const { url, requests } = await serve(file(content));
  const seen: number[] = [];
  const onProgress = ({ received }: { received: number }) => seen.push(received);
  const path = await getDataset(entry(url), { directory, onProgress });
  expect(path).toBe(join(directory, "mine.csv"));
  expect(Buffer.compare(readFileSync(path), content)).toBe(0);
  expect(seen.at(-1)).toBe(content.length);
  expect(await getDataset(entry(url), { directory })).toBe(path);
  expect(requests).toHaveLength(1);
  expect(readdirSync(directory)).toEqual(["mine.csv"]);
});

test("an interrupted download goes on at the next call", async () => {
  const server = await serve(file(content, { cut: 20_000 }));
  await expect(getDataset(entry(server.url), { directory, retries: 0 })).rejects.toThrow(/running the same again/);
  await expect(getDataset(entry(server.url), { directory, retries: 0 })).rejects.toThrow(/40\.0 kB are kept/);
  server.answers = [file(content)];
  const path = await getDataset(entry(server.url), { directory });
  expect(Buffer.compare(readFileSync(path), content)).toBe(0);
  expect(server.requests.map((h) => h.range)).toEqual([undefined, "bytes=20000-", "bytes=40000-"]);
});

test("what arrives must be what was published", async () => {
  const { url } = await serve(file(noise(1000, 2)));
  await expect(getDataset(entry(url), { directory })).rejects.toThrow(/checksum is wrong/);
  expect(readdirSync(directory)).toEqual([]);
});

test("a file that was changed on disk is reported and left alone", async () => {
  const { url, requests } = await serve(file(content));
  const path = await getDataset(entry(url), { directory });
  writeFileSync(path, "edited by hand");
  const error = await getDataset(entry(url), { directory }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toMatch(/mine\.csv is not mine as published/);
  expect(readFileSync(path, "utf8")).toBe("edited by hand");
  expect(requests).toHaveLength(1);
});

test("a mirror is asked for the file by its name here", async () => {
  const paths: string[] = [];
  const { url } = await serve((response, request) => {
    paths.push(request.url ?? "");
    status(404)(response, request);
  });
  const baseUrl = url.replace("data.bin", "mirror/");
  await expect(getDataset("matbench_steels", { directory, baseUrl })).rejects.toThrow(/404 Not Found/);
  expect(paths).toEqual(["/mirror/matbench_steels.json.gz"]);
});

test("an unknown name brings the nearest one", async () => {
  expect(() => findDataset("matbench_exptgap")).toThrow(
    /no data set "matbench_exptgap"[\s\S]*Did you mean matbench_expt_gap\?/,
  );
  expect(() => findDataset("steels")).toThrow(/Did you mean matbench_steels\?/);
  expect(() => findDataset("qqqqqq")).toThrow(/There are matbench_dielectric, matbench_expt_gap, /);
  await expect(getDataset("nothing", { directory })).rejects.toThrow(UserError);
});

test("the list says what is there", async () => {
  writeFileSync(join(directory, "matbench_steels.json.gz"), content);
  const list = await listDatasets({ directory });
  expect(list).toHaveLength(datasets.length);
  expect(list.filter((d) => d.downloaded).map((d) => d.path)).toEqual([join(directory, "matbench_steels.json.gz")]);
});

test("the data folder: SPINEL_DATA, else among the user's caches", async () => {
  vi.stubEnv("SPINEL_DATA", directory);
  expect(await dataDirectory()).toBe(directory);
  writeFileSync(join(directory, "matbench_glass.json.gz"), "");
  expect((await listDatasets()).find((d) => d.downloaded)?.name).toBe("matbench_glass");
  vi.stubEnv("SPINEL_DATA", "");
  vi.stubEnv("XDG_CACHE_HOME", directory);
  expect(await dataDirectory()).toBe(join(directory, "spinel"));
  vi.stubEnv("XDG_CACHE_HOME", "relative/path");
  expect((await dataDirectory()).startsWith(homedir())).toBe(true);
});
