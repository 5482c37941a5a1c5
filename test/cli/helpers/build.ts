import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The command under test: the one of the build, or another one, say of an installed package. */
export const CLI = resolve(ROOT, process.env.SPINEL_CLI ?? "dist/cli.js");

const modified = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const newest = (folder: string): number =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => modified(join(ROOT, folder, name)))
    .reduce((a, b) => Math.max(a, b), 0);

const stale = (): boolean => Math.max(newest("src"), newest("assembly")) > modified(CLI);

/** `npm install` builds; this builds again where the sources have changed since. Test files run side by side: one builds, the rest wait. */
export async function buildIfStale(): Promise<void> {
  if (process.env.SPINEL_CLI) return;
  const lock = join(ROOT, "node_modules", ".spinel-build.lock");
  while (stale()) {
    try {
      mkdirSync(lock);
    } catch {
      if (Date.now() - modified(lock) > 180_000) rmSync(lock, { recursive: true, force: true });
      await setTimeout(200);
      continue;
    }
    try {
      if (stale())
        execFileSync("npm", ["run", "build"], { cwd: ROOT, stdio: "pipe", shell: process.platform === "win32" });
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
}
