import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { UserError } from "../../src/core/errors.ts";
import { readCsvRows } from "../../src/data/csv.ts";
import { readJsonl } from "../../src/data/jsonl.ts";
import { openChunks } from "../../src/data/open.ts";
import { readRows, readTable, type Table, type TableOptions } from "../../src/data/table.ts";

/** Uniform numbers in [0, 1), a function of the seed (mulberry32). */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (random: Random, n: number): number => Math.floor(random() * n);
export const pick = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)];

/** `bytes` as a stream whose pieces end anywhere. */
export async function* inPieces(bytes: Uint8Array, random: Random): AsyncGenerator<Uint8Array> {
  for (let begin = 0; begin < bytes.length; ) {
    const end = begin + 1 + below(random, random() < 0.5 ? 4 : bytes.length);
    yield bytes.subarray(begin, end);
    begin = end;
  }
}

/** Up to five random edits; `others` are texts to splice from. */
export function mutate(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  let out = Array.from(bytes);
  for (let edits = below(random, 6); edits > 0; edits--) {
    const at = below(random, out.length + 1);
    const length = below(random, random() < 0.7 ? 4 : 40);
    const edit = below(random, 7);
    if (edit === 0) out[at] = (out[at] ?? 0) ^ (1 << below(random, 8));
    else if (edit === 1) out[at] = pick(random, TELLING);
    else if (edit === 2) out.splice(at, length);
    else if (edit === 3) out.splice(at, 0, ...out.slice(at, at + length));
    else if (edit === 4) out.splice(at, 0, ...Array.from({ length }, () => pick(random, TELLING)));
    else if (edit === 5) {
      const other = pick(random, others);
      const from = below(random, other.length);
      out.splice(at, length, ...other.subarray(from, from + length));
    } else if (random() < 0.2) out = out.slice(0, at);
  }
  return Uint8Array.from(out);
}

const TELLING = [
  ...new TextEncoder().encode('",;\t|\n\r{}[]:\\.-+eE0123456789 NaInfultr?é∞\uFEFF'),
  0,
  0x80,
  0xc3,
  0xf0,
  0xff,
];

/**
 * `trials` runs of `trial`, each with its own generator. A run passes when it returns or throws a UserError within two seconds;
 * one that does not come back in twenty ends the process. Failures name seed and trial: `fuzz(trial, { seed, first, trials: 1 })`.
 */
export async function fuzz(
  trial: (random: Random) => Promise<void>,
  { seed, trials, first = 0 }: { seed: number; trials: number; first?: number },
): Promise<{ accepted: number; rejected: number }> {
  const beat = new Int32Array(new SharedArrayBuffer(8));
  const watchdog = new Worker(WATCHDOG, { eval: true, workerData: { beat, seed } });
  const counts = { accepted: 0, rejected: 0 };
  try {
    for (let i = first; i < first + trials; i++) {
      Atomics.store(beat, 0, i);
      const begun = performance.now();
      try {
        await trial(seeded(Math.imul(seed, 0x9e3779b1) + i));
        counts.accepted++;
      } catch (error) {
        if (!(error instanceof UserError)) throw new Error(`fuzz: seed ${seed}, trial ${i}`, { cause: error });
        counts.rejected++;
      }
      const seconds = (performance.now() - begun) / 1000;
      if (seconds > 2) throw new Error(`fuzz: seed ${seed}, trial ${i} took ${seconds.toFixed(1)} s`);
    }
  } finally {
    Atomics.store(beat, 1, 1);
    Atomics.notify(beat, 1);
    await watchdog.terminate();
  }
  return counts;
}

/** An endless loop cannot be interrupted from its own thread. */
const WATCHDOG = `
const { beat, seed } = require("node:worker_threads").workerData;
for (let last = -1; Atomics.wait(beat, 1, 0, 20000) === "timed-out"; last = beat[0]) {
  if (beat[0] !== last) continue;
  require("node:fs").writeSync(2, "fuzz: seed " + seed + ", trial " + last + " hangs\\n");
  process.kill(process.pid, "SIGKILL");
}`;

interface Seed {
  bytes: Uint8Array;
  options: TableOptions;
}

const seed = (text: string, options: TableOptions): Seed => ({ bytes: new TextEncoder().encode(text), options });

const CSV_SEEDS = [
  seed("id,formula,gap,phase\n1,NaCl,5.0,rock salt\n2,NaN,1.5,salt\n3,GaAs,1.42,zinc blende\n", {
    target: "phase",
    classes: ["rock salt", "salt", "zinc blende"],
    numeric: ["gap"],
    foldColumn: "id",
  }),
  seed(
    '\uFEFFmbid;composition;gap;"note; long"\r\nm-1;"Fe2 O3";-2.1e0;"a ""quoted"" note"\r\nm-2;SiO2;8.9;"two\r\nlines"\r\n',
    { target: "gap", categorical: ["note; long"] },
  ),
  seed("formula\tx\ty\ttarget\rNa3N\t0.1\t1\t0\rLiF\t.5\tNaN\t1\rKBr\t2.\t3\t\r", {
    target: "target",
    numeric: ["*"],
    dropMissing: true,
  }),
  seed("name|a|b|c|d\nα|1|2|3|4\nβ-Fe|-1|-2|-3|-4\n\n日本|1e3|2E-3|+3|-0\n", {
    target: ["a", "b"],
    id: "name",
    numeric: ["c"],
    categorical: ["d"],
  }),
  seed("formula\nNaN\nNaCl\n\nH2O\n", {}),
];

const JSON_SEEDS = [
  seed('{"id":"a","formula":"NaN","gap":1.5,"metal":false}\n{"id":"b","formula":"Fe","gap":0,"metal":true}\n', {
    target: "metal",
    numeric: ["gap"],
  }),
  seed('{"formula":"H2O","x":[1,{"y":null}],"target":-1e-3}\n\n{"formula":"D2O \\u00b0\\n","x":[],"target":2}', {
    target: "target",
    ignore: ["x"],
    file: "x.jsonl",
  }),
  seed('[\n  {"id": 1, "gap": 2.5, "t": "a,]}\\""},\n  {"id": 2, "gap": null, "t": ""}\n]\n', {
    target: "gap",
    numeric: ["*"],
    dropMissing: true,
  }),
  seed('[{"a":{"b":[[]]},"c":""},{"c":7}]', { ignore: ["a"], task: "classification", file: "x.json" }),
];

const SEEDS = [...CSV_SEEDS, ...JSON_SEEDS];
const TEXTS = SEEDS.map(({ bytes }) => bytes);
const GZIP_SEEDS = SEEDS.map(({ bytes, options }) => ({ bytes: new Uint8Array(gzipSync(bytes)), options }));

/** One mutated table through one of the readers, whose result must be consistent. */
export async function tableTrial(random: Random): Promise<void> {
  const reader = pick(random, ["csv", "jsonl", "table", "rows", "gzip"] as const);
  const seeds = { csv: CSV_SEEDS, jsonl: JSON_SEEDS, gzip: GZIP_SEEDS, table: SEEDS, rows: SEEDS }[reader];
  const own = pick(random, seeds);
  const { options } = random() < 0.9 ? own : pick(random, SEEDS);
  const bytes = mutate(own.bytes, TEXTS, random);
  const chunks = inPieces(bytes, random);
  if (reader === "csv") {
    let width: number | undefined;
    let line = 0;
    for await (const row of readCsvRows(chunks, {
      delimiter: random() < 0.8 ? undefined : pick(random, [",", ";", "tab"]),
    })) {
      width ??= row.cells.length;
      if (row.cells.length !== width || row.line <= line) throw new Error(`inconsistent row ${JSON.stringify(row)}`);
      line = row.line;
    }
  } else if (reader === "jsonl") {
    for await (const { value } of readJsonl(chunks)) {
      if (typeof value !== "object" || value === null || Array.isArray(value))
        throw new Error("a value is not an object");
    }
  } else if (reader === "table") checkTable(await readTable(chunks, options));
  else if (reader === "rows") {
    for await (const table of readRows(chunks, { ...options, batch: 2 })) checkTable(table);
  } else
    for await (const chunk of openChunks(chunks)) if (chunk.length > 2 ** 20) throw new Error("a piece above 1 MB");
}

function checkTable({ length, ids, formulas, lines, numeric, categorical, targets, classes, fold }: Table): void {
  const sizes = [ids, formulas ?? ids, lines, fold ?? ids, ...categorical.values].map((column) => column.length);
  const values = [...numeric.values, ...(targets?.values ?? [])];
  const sound =
    sizes.every((size) => size === length) &&
    numeric.values.length === length * numeric.names.length &&
    (targets?.values.length ?? 0) === length * (targets?.names.length ?? 0) &&
    values.every(Number.isFinite) &&
    (!classes || !targets || targets.values.every((index) => classes[index] !== undefined)) &&
    (formulas ?? []).every((formula) => formula !== "");
  if (!sound) throw new Error("an inconsistent table");
}
