import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { decodeSafetensors } from "../../../src/io/safetensors.ts";
import { spinel, start } from "./spinel.ts";

/** A small run whose state has many parts, and what it ends with when nobody interrupts it. */
export interface Victim {
  args: string[];
  reference: Map<string, string>;
  /** Of the uninterrupted run, its start included. */
  milliseconds: number;
}

const COMMON = ["--hidden", "6,6", "--batch-size", "8", "--threads", "1", "--checkpoint-seconds", "0", "-q"];
const REGRESSION = [
  "train",
  "mlp",
  "--data",
  "numbers.csv",
  "--target",
  "y",
  "--categorical",
  "kind",
  "--numeric",
  "a,b",
];
const CLASSES = ["train", "mlp", "--data", "phases.csv", "--target", "phase"];

/** Every kind of state that a checkpoint must hold, in four runs; one of them has folds. */
export const VICTIMS: Record<string, string[]> = {
  "AdamW, dropout, batch norm, cosine": [
    ...REGRESSION,
    ...COMMON,
    "--epochs",
    "12",
    "--dropout",
    "0.3",
    "--norm",
    "batch",
  ],
  "RMSprop, averaged weights, plateau": [
    ...CLASSES,
    ...COMMON,
    ...["--epochs", "12", "--optimizer", "rmsprop", "--momentum", "0.5", "--ema", "0.9", "--dropout", "0.2"],
    ...["--schedule", '{"name":"reduceOnPlateau","patience":0,"factor":0.5}'],
  ],
  "SGD with momentum, one cycle, patience, test rows": [
    ...REGRESSION,
    ...COMMON,
    ...["--epochs", "40", "--optimizer", "sgd", "--momentum", "0.9", "--lr", "0.05", "--patience", "4"],
    ...["--schedule", '{"name":"oneCycle","cycleMomentum":true}', "--test-fraction", "0.2"],
  ],
  "three folds": [...CLASSES, ...COMMON, "--epochs", "4", "--dropout", "0.2", "--folds", "3"],
};

/** Runs a victim undisturbed. */
export async function undisturbed(cwd: string, args: string[]): Promise<Victim> {
  const out = mkdtempSync(join(cwd, "reference-"));
  const began = performance.now();
  const { code, stderr } = await spinel(cwd, [...args, "--out", out]);
  if (code !== 0) throw new Error(stderr);
  return { args, reference: remains(out), milliseconds: performance.now() - began };
}

export interface Trial {
  kills: number;
  /** Files that were not as they should be after a kill, and why. */
  unreadable: string[];
  /** Files that differ from the undisturbed run's in the end. */
  different: string[];
}

/** Kills the run up to `times` times at moments drawn from `random`, resuming it after each, and lets it end. */
export async function killAndResume(cwd: string, victim: Victim, times: number, random: () => number): Promise<Trial> {
  const out = mkdtempSync(join(cwd, "victim-"));
  // --resume begins the run where there is none yet: the first kill may come that early.
  const args = [...victim.args, "--out", out, "--resume"];
  const trial: Trial = { kills: 0, unreadable: [], different: [] };
  while (trial.kills < times) {
    const { child, done } = start(cwd, args);
    const began = performance.now();
    const timer = setTimeout(() => child.kill("SIGKILL"), random() * victim.milliseconds);
    const { code, stderr } = await done;
    clearTimeout(timer);
    if (code === "SIGKILL") {
      trial.kills++;
      trial.unreadable.push(...unreadable(out));
      continue;
    }
    if (code !== 0) return { ...trial, different: [`it failed: ${stderr}`] };
    if (trial.kills > 0) break;
    // It was faster than the undisturbed run: try again, sooner.
    victim.milliseconds = performance.now() - began;
    rmSync(out, { recursive: true });
    mkdirSync(out);
  }
  const { code, stderr } = await spinel(cwd, args);
  const ended = remains(out);
  if (code !== 0) trial.different.push(`it failed: ${stderr}`);
  for (const name of new Set([...victim.reference.keys(), ...ended.keys()]))
    if (victim.reference.get(name) !== ended.get(name)) trial.different.push(name);
  trial.unreadable.push(...unreadable(out));
  rmSync(out, { recursive: true });
  return trial;
}

/** What a run leaves that must not depend on interruptions: every file but the checkpoint and those that tell the time. */
export function remains(folder: string): Map<string, string> {
  const kept = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (/(model\.safetensors|predictions\.csv|config\.json)$/.test(name)) kept.set(name, readFileSync(path, "hex"));
    else if (/metrics\.jsonl$/.test(name))
      kept.set(name, readFileSync(path, "utf8").replace(/"seconds":[\d.e-]+/g, ""));
    else if (/results\.json$/.test(name))
      kept.set(name, readFileSync(path, "utf8").replace(/"(folder|seconds)": .*/g, ""));
    else if (/\.tmp$/.test(name)) kept.set(name, "left behind");
  }
  return kept;
}

/** The files of a run's folder that are cut off or damaged. */
export function unreadable(folder: string): string[] {
  const wrong: string[] = [];
  if (!existsSync(folder)) return wrong;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const check = CHECKS.find(([pattern]) => pattern.test(name))?.[1];
    try {
      check?.(readFileSync(join(folder, name)));
    } catch (error) {
      wrong.push(`${name}: ${(error as Error).message}`);
    }
  }
  return wrong;
}

const CHECKS: [name: RegExp, check: (content: Buffer) => void][] = [
  [/\.tmp$/, () => {}],
  [/\.safetensors$/, (content) => void decodeSafetensors(content)],
  [/\.json$/, (content) => void JSON.parse(content.toString())],
  [/\.jsonl$/, (content) => linesOf(content).forEach((line) => void JSON.parse(line))],
  [/\.csv$/, (content) => void linesOf(content)],
  [/\.html$/, (content) => expectEnd(content, "</html>\n")],
  [/tfevents/, checkEvents],
];

function linesOf(content: Buffer): string[] {
  if (content.length === 0) return [];
  expectEnd(content, "\n");
  return content.toString().slice(0, -1).split("\n");
}

function expectEnd(content: Buffer, end: string): void {
  if (!content.toString().endsWith(end)) throw new Error(`it does not end with ${JSON.stringify(end)}`);
}

/** Records of a length, its checksum, as many bytes, and their checksum. */
function checkEvents(content: Buffer): void {
  let at = 0;
  while (at < content.length) at += 12 + Number(content.readBigUInt64LE(at)) + 4;
  if (at !== content.length) throw new Error("its last record is cut off");
}

/** Numbers in [0, 1) that depend on the seed alone: mulberry32. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
