import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import * as commands from "../package.json";
import { prototype, writeCif } from "../src/data/index.ts";

const readme = readFileSync("README.md", "utf8");

const transpiled = (snippet: string): string =>
  ts.transpileModule(snippet, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  }).outputText;

test("the library example runs as it stands and learns", () => {
  const [, snippet] = /## As a library\s+```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(snippet.trim().split("\n").length).toBeLessThanOrEqual(21);
  // Inside the package its own name resolves to the built entry points.
  const file = join("build", "readme-example.mjs");
  writeFileSync(file, transpiled(snippet));
  try {
    const printed = execFileSync(process.execPath, [file], { encoding: "utf8", timeout: 120_000 });
    const [, mae] = /validation MAE (\d+) kJ\/mol/.exec(printed) ?? [];
    expect(Number(mae)).toBeLessThan(2000);
  } finally {
    rmSync(file);
  }
});

test("the crystal example runs as it stands in a folder that has my-crystals", () => {
  const [, snippet] = /## Crystals[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const folder = mkdtempSync(join(tmpdir(), "spinel-readme-"));
  const file = join("build", "readme-crystals.mjs");
  try {
    mkdirSync(join(folder, "my-crystals"));
    const rows = [4, 4.1, 4.2, 4.3].map((a, i) => {
      const crystal = prototype("CsCl", { species: ["Cs", "Cl"], a });
      writeFileSync(join(folder, "my-crystals", `c${i}.cif`), writeCif(crystal));
      return `c${i},${-i}\n`;
    });
    writeFileSync(join(folder, "my-crystals", "id_prop.csv"), rows.join(""));
    writeFileSync(file, transpiled(snippet));
    const printed = execFileSync(process.execPath, [resolve(file)], {
      cwd: folder,
      encoding: "utf8",
      timeout: 120_000,
    });
    const values = [...printed.matchAll(/-?\d+\.?\d*(?:e-?\d+)?/g)].map(Number).slice(-4);
    expect(values.length).toBe(4);
    for (const [i, value] of values.entries()) expect(Math.abs(value + i)).toBeLessThan(1);
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(file, { force: true });
  }
});

test("the image example runs as it stands", () => {
  const [, snippet] = /## Images[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const file = join("build", "readme-images.mjs");
  writeFileSync(file, transpiled(snippet));
  try {
    const printed = execFileSync(process.execPath, [file], { encoding: "utf8", timeout: 120_000 });
    const [, values, length] = /\[([^\]]*)\] (\d+)/.exec(printed) ?? [];
    const total = values.split(",").reduce((sum, v) => sum + Number(v), 0);
    expect(total).toBeCloseTo(1, 4);
    expect(Number(length)).toBeGreaterThan(100);
  } finally {
    rmSync(file);
  }
});

test("the potential example runs as it stands in a folder with a trained potential", () => {
  const [, snippet] = /## Potentials[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const folder = mkdtempSync(join(tmpdir(), "spinel-readme-"));
  const file = join("build", "readme-potential.mjs");
  const water = (stretch: number): string =>
    `3\nProperties=species:S:1:pos:R:3:forces:R:3 energy=${stretch ** 2}\nO 0 0 0 0 0 ${2 * stretch}\nH 0.76 0 ${0.59 + stretch} 0 0 ${-stretch}\nH -0.76 0 ${0.59 + stretch} 0 0 ${-stretch}\n`;
  try {
    writeFileSync(join(folder, "frames.xyz"), [-0.1, -0.05, 0, 0.02, 0.05, 0.1].map(water).join(""));
    writeFileSync(join(folder, "molecule.xyz"), water(0.03));
    const flags = "--energy energy --forces forces --n-atom-basis 16 --epochs 20 --threads 1 --quiet".split(" ");
    execFileSync(process.execPath, [resolve("dist/cli.js"), "train", "schnet", "--data", "frames.xyz", ...flags], {
      cwd: folder,
    });
    writeFileSync(file, transpiled(snippet));
    const printed = execFileSync(process.execPath, [resolve(file)], {
      cwd: folder,
      encoding: "utf8",
      timeout: 120_000,
    });
    expect(printed).toMatch(/^-?\d+\.\d+(e-?\d+)? \d+\.\d+ 3\n/);
    expect(printed.match(/total=/g)).toHaveLength(3);
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(file, { force: true });
  }
});

test("every command and npm script that the README names exists", () => {
  const help = execFileSync(process.execPath, ["dist/cli.js", "--help"], { encoding: "utf8" });
  for (const [, name] of readme.matchAll(/`(?:npx )?spinel ([a-z-]+)/g))
    expect(help).toMatch(new RegExp(`^  ${name} `, "m"));
  for (const [, name] of readme.matchAll(/npm run ([a-z]+)/g)) expect(Object.keys(commands.scripts)).toContain(name);
});
