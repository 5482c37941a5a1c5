import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import * as commands from "../package.json";

const readme = readFileSync("README.md", "utf8");

test("the library example runs as it stands and learns", () => {
  const [, snippet] = /## As a library\s+```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(snippet.trim().split("\n").length).toBeLessThanOrEqual(21);
  const { outputText } = ts.transpileModule(snippet, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  // Inside the package its own name resolves to the built entry points.
  const file = join("build", "readme-example.mjs");
  writeFileSync(file, outputText);
  try {
    const printed = execFileSync(process.execPath, [file], { encoding: "utf8", timeout: 120_000 });
    const [, mae] = /validation MAE (\d+) kJ\/mol/.exec(printed) ?? [];
    expect(Number(mae)).toBeLessThan(2000);
  } finally {
    rmSync(file);
  }
});

test("every command and npm script that the README names exists", () => {
  const help = execFileSync(process.execPath, ["dist/cli.js", "--help"], { encoding: "utf8" });
  for (const [, name] of readme.matchAll(/`(?:npx )?spinel ([a-z]+)/g))
    expect(help).toMatch(new RegExp(`^  ${name} `, "m"));
  for (const [, name] of readme.matchAll(/npm run ([a-z]+)/g)) expect(Object.keys(commands.scripts)).toContain(name);
});
