import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** The architecture, read from the imports: which folder of src may know which, no cycles, no file that grew too long. */
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * The folders that a folder may import, itself apart. cli and lab may use anything; nothing may use them. The viewer is a script of
 * its own for pages: only the lab may use it, and train its types.
 */
const MAY_USE: Record<string, string[]> = {
  core: [],
  ops: ["core"],
  io: ["core"],
  data: ["core", "ops"],
  nn: ["core", "ops", "data"],
  e3: ["core", "ops", "data", "nn"],
  models: ["core", "ops", "data", "nn", "e3"],
  atoms: ["core", "data"],
  train: ["core", "ops", "io", "data", "nn", "e3", "atoms"],
  worker: ["core"],
  viewer: ["data"],
};
const LIBRARY = Object.keys(MAY_USE);
const ANYTHING = ["cli", "lab"];

const files = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[jt]s$/.test(name))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`);
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

interface Import {
  file: string;
  /** Path from the root; undefined for packages and node's modules. */
  target: string | undefined;
  /** Erased by the compiler: `import type`. */
  type: boolean;
}

function* importsOf(file: string): Generator<Import> {
  const text = read(file);
  const statements = /^(?:import|export)\s(type\s)?[^;"']*?["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/gm;
  for (const [, type, from, dynamic] of text.matchAll(statements)) {
    const name = from ?? dynamic;
    const target = name.startsWith(".") ? relative(ROOT, join(ROOT, dirname(file), name)) : undefined;
    yield { file, target: target?.replaceAll("\\", "/"), type: type !== undefined };
  }
}

const SOURCES = files("src");
const IMPORTS = SOURCES.flatMap((file) => [...importsOf(file)]);
const folderOf = (file: string): string => (file.split("/").length > 2 ? file.split("/")[1] : "");

test("the reader of imports sees them", () => {
  const seen = [...importsOf("src/core/grad.ts")].map((i) => `${i.target}${i.type ? " (type)" : ""}`);
  expect(seen).toContain("src/core/tensor.ts");
  expect([...importsOf("src/core/tensor.ts")]).toContainEqual({
    file: "src/core/tensor.ts",
    target: "src/core/op.ts",
    type: true,
  });
  expect(IMPORTS.length).toBeGreaterThan(SOURCES.length);
});

test("every folder of src has its place", () => {
  for (const file of SOURCES) expect([...LIBRARY, ...ANYTHING, ""], file).toContain(folderOf(file));
});

describe("layers", () => {
  test.each(LIBRARY)("%s imports only what lies below it", (folder) => {
    const wrong = IMPORTS.filter(({ file, target, type }) => {
      if (folderOf(file) !== folder || target === undefined || target.startsWith("build/")) return false;
      if (folder === "train" && type && folderOf(target) === "viewer") return false;
      return ![folder, ...MAY_USE[folder]].includes(folderOf(target));
    });
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });

  test("nothing imports cli or lab but themselves", () => {
    const wrong = IMPORTS.filter(({ file, target }) => {
      const to = target === undefined ? "" : folderOf(target);
      return ANYTHING.includes(to) && to !== folderOf(file);
    });
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });

  test("nothing imports the viewer but the lab, and train its types", () => {
    const wrong = IMPORTS.filter(({ file, target, type }) => {
      if (target === undefined || folderOf(target) !== "viewer") return false;
      const from = folderOf(file);
      return !(from === "viewer" || from === "lab" || (from === "train" && type));
    });
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });

  test("only core knows the build of the kernels", () => {
    const wrong = IMPORTS.filter(({ file, target }) => target?.startsWith("build/") && folderOf(file) !== "core");
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });
});

test("no import cycles", () => {
  const next = new Map<string, string[]>();
  for (const { file, target, type } of IMPORTS)
    if (target !== undefined && !type) next.set(file, [...(next.get(file) ?? []), target]);
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) throw new Error([...path.slice(path.indexOf(file)), file].join(" → "));
    if (done.has(file)) return;
    for (const target of next.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of SOURCES) visit(file, []);
});

test("no file passes 400 lines", () => {
  const long = ["src", "assembly", "test"]
    .flatMap(files)
    .map((file) => [file, read(file).trimEnd().split("\n").length] as const)
    .filter(([, lines]) => lines > 400);
  expect(long).toEqual([]);
});
