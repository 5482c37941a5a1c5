import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import dts from "rollup-plugin-dts";
import ts from "typescript";
import { minifySync } from "vite";

const require = createRequire(import.meta.url);
const { dependencies } = require("./package.json");
const external = (id) =>
  id.startsWith("node:") || Object.keys(dependencies).some((name) => id === name || id.startsWith(`${name}/`));

/** Types are stripped file by file; `tsc` checks them in the tests. */
const typescript = {
  name: "typescript",
  transform(code, id) {
    if (!id.endsWith(".ts")) return null;
    const compilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    };
    const { outputText, sourceMapText } = ts.transpileModule(code, {
      fileName: id,
      compilerOptions: { ...compilerOptions, sourceMap: true },
    });
    return { code: outputText.replace(/\/\/# sourceMappingURL=.*$/m, ""), map: sourceMapText };
  },
};

/** In one declaration file an augmentation of Tensor's module is a plain merge of interfaces. */
const mergeInterfaces = {
  name: "merge-interfaces",
  renderChunk: (code) => code.replace(/declare module "[^"]*" \{\s*(interface Tensor[^{]*\{\s*\})\s*\}/, "$1"),
};

/** three.js's licence goes with every copy of its code; the minifier drops comments. */
const minify = {
  name: "minify",
  renderChunk(code, { fileName }) {
    const licence = readFileSync(new URL("../LICENSE", pathToFileURL(require.resolve("three"))), "utf8");
    return `/*! three.js: ${licence.trim()} */\n${minifySync(fileName, code).code}`;
  },
};

const entries = {
  index: "src/index.ts",
  nn: "src/nn/index.ts",
  models: "src/models/index.ts",
  train: "src/train/index.ts",
  data: "src/data/index.ts",
  io: "src/io/index.ts",
  worker: "src/worker/index.ts",
};

export default [
  {
    input: { ...entries, cli: "src/cli/index.ts", thread: "src/core/thread.js" },
    external,
    plugins: [typescript],
    // Chunks stay beside the entries: the compute thread is found as ./thread.js from whichever chunk starts it.
    output: { dir: "dist", format: "es", chunkFileNames: "[name]-[hash].js" },
  },
  {
    // The report inlines this text in its page: one script, three.js within, that makes one global.
    input: "src/viewer/index.ts",
    plugins: [typescript, nodeResolve(), minify],
    output: { file: "dist/viewer.js", format: "iife", name: "viewer" },
  },
  {
    input: entries,
    external,
    plugins: [
      dts({ compilerOptions: { allowImportingTsExtensions: true, noEmit: false, emitDeclarationOnly: true } }),
      mergeInterfaces,
    ],
    output: { dir: "dist", format: "es", chunkFileNames: "types.d.ts", manualChunks: () => "types" },
  },
];
