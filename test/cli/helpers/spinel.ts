import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLI } from "./build.ts";

export interface Result {
  /** The exit status, or the signal that ended it. */
  code: number | string;
  stdout: string;
  stderr: string;
}

export interface Process {
  child: ChildProcessWithoutNullStreams;
  done: Promise<Result>;
  /** Resolves when standard error holds the text. */
  says(text: string | RegExp): Promise<void>;
}

/** Starts `spinel …` in the folder. */
export function start(cwd: string, args: readonly string[], { shell }: { shell?: string } = {}): Process {
  // Under `npm test` the program would recommend `npx spinel …`.
  const { npm_execpath: _npm, ...env } = process.env;
  const child = shell
    ? spawn("sh", ["-c", shell], { cwd, env: { ...env, NODE: process.execPath, CLI } })
    : spawn(process.execPath, [CLI, ...args], { cwd, env });
  const out = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      out[name] += text;
      for (const check of waiting) check();
    });
  child.stdin.on("error", () => {});
  const done = new Promise<Result>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? signal ?? "?", ...out }));
  });
  const says = (text: string | RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (typeof text === "string" ? !out.stderr.includes(text) : !text.test(out.stderr)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      void done.then(() => reject(new Error(`It ended without saying ${text}: ${out.stderr}`)));
    });
  return { child, done, says };
}

let running = 0;
const queue: (() => void)[] = [];

/** Runs `body` when fewer than two others of this file run: a test machine has few cores. */
async function atMostTwo<T>(body: () => Promise<T>): Promise<T> {
  while (running >= 2) await new Promise<void>((resolve) => queue.push(resolve));
  running++;
  try {
    return await body();
  } finally {
    running--;
    queue.shift()?.();
  }
}

/** Runs `spinel …` in the folder to its end. */
export function spinel(cwd: string, args: readonly string[], { stdin }: { stdin?: string } = {}): Promise<Result> {
  return atMostTwo(() => {
    const { child, done } = start(cwd, args);
    child.stdin.end(stdin);
    return done;
  });
}

/** Runs a shell's command line, in which "$NODE" "$CLI" is spinel. */
export function shell(cwd: string, line: string): Promise<Result> {
  return atMostTwo(() => {
    const { child, done } = start(cwd, [], { shell: line });
    child.stdin.end();
    return done;
  });
}

/** A temporary folder. */
export function folder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "spinel-cli-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
