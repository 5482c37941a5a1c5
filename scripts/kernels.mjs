// Compiles assembly/ for every target of asconfig.json, side by side; writes each binary, for one thread and on shared memory, and
// as a module that carries its bytes.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { main } from "assemblyscript/asc";
import { hoistConstants, shareMemory } from "./hoist.mjs";

const { targets } = JSON.parse(readFileSync("asconfig.json", "utf8"));

if (isMainThread) {
  mkdirSync("build/bytes", { recursive: true });
  for (const target of Object.keys(targets)) {
    const worker = new Worker(new URL(import.meta.url), { workerData: target });
    worker.on("exit", (code) => code && process.exit(code));
  }
} else {
  const { error, stderr } = await main(["--config", "asconfig.json", "--target", workerData]);
  if (error) {
    console.error(stderr.toString());
    process.exit(1);
  }
  const { outFile } = targets[workerData];
  const bytes = hoistConstants(readFileSync(outFile));
  write(workerData, bytes);
  write(`${workerData}-threads`, shareMemory(bytes));
}

function write(variant, bytes) {
  writeFileSync(`build/${variant}.wasm`, bytes);
  writeFileSync(`build/bytes/${variant}.js`, `export default "${Buffer.from(bytes).toString("base64")}";\n`);
  writeFileSync(`build/bytes/${variant}.d.ts`, "declare const base64: string;\nexport default base64;\n");
}
