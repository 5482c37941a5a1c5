import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { appendLine, readBytes, writeAtomic } from "../io/files.ts";
import { decodeSafetensors, safetensorsPieces, toFloat32 } from "../io/safetensors.ts";
import type { Checkpoint, EpochRecord } from "../train/fit.ts";

/** The folder of a run: what is in it, and that every file in it is whole at every moment. */
export class RunFolder {
  constructor(readonly path: string) {}

  file(name: string): string {
    return join(this.path, name);
  }

  get exists(): boolean {
    return existsSync(this.path) && readdirSync(this.path).length > 0;
  }

  has(name: string): boolean {
    return existsSync(this.file(name));
  }

  create(): void {
    try {
      mkdirSync(this.path, { recursive: true });
    } catch (error) {
      throw new UserError(
        `The run folder ${this.path} cannot be made: ${(error as Error).message}.`,
        "Choose another with --out.",
      );
    }
  }

  /** Removes what an earlier run left here: its checkpoint and results must not pass for this one's. */
  clear(): void {
    for (const name of readdirSync(this.path))
      if (/^(checkpoint|results|metrics|model|predictions|report|events\.out|fold\d)/.test(name))
        rmSync(this.file(name), { recursive: true, force: true });
  }

  write(name: string, content: string | Iterable<Uint8Array>): Promise<void> {
    return writeAtomic(this.file(name), content);
  }

  readJson(name: string): unknown {
    try {
      return JSON.parse(readFileSync(this.file(name), "utf8"));
    } catch (error) {
      throw new UserError(`${this.file(name)} cannot be read: ${(error as Error).message}.`);
    }
  }

  /** One file holds weights, optimizer and state, so that they can never be of different moments. */
  saveCheckpoint({ state, tensors }: Checkpoint): Promise<void> {
    return this.write("checkpoint.safetensors", safetensorsPieces(tensors, { fit: JSON.stringify(state) }));
  }

  async loadCheckpoint(): Promise<Checkpoint> {
    const file = this.file("checkpoint.safetensors");
    const { tensors, metadata } = decodeSafetensors(await readBytes(file), { file });
    if (!metadata.fit) throw new UserError(`${file} is not a checkpoint of spinel train.`);
    return {
      state: JSON.parse(metadata.fit),
      tensors: new Map([...tensors].map(([name, t]) => [name, { shape: t.shape, data: toFloat32(t) }])),
    };
  }

  /** metrics.jsonl as of a checkpoint: what a killed run wrote after it is dropped, for it will be written again. */
  startMetrics(history: readonly EpochRecord[]): Promise<void> {
    return this.write("metrics.jsonl", history.map((record) => `${metricsLine(record)}\n`).join(""));
  }

  addMetrics(record: EpochRecord): Promise<void> {
    return appendLine(this.file("metrics.jsonl"), metricsLine(record));
  }
}

/** One flat line: {"epoch":1,"step":…,"lr":…,"loss":…,"validation_mae":…}. */
function metricsLine({ validation = {}, ...rest }: EpochRecord): string {
  const figures = Object.entries(validation).map(([name, value]) => [`validation_${name}`, value]);
  return JSON.stringify({ ...rest, ...Object.fromEntries(figures) });
}

/** runs/NAME, or runs/NAME-2, … where that is taken. */
export function freshFolder(name: string): RunFolder {
  const safe = name.replace(/[^\w.+-]+/g, "_");
  for (let i = 1; ; i++) {
    const folder = new RunFolder(join("runs", i === 1 ? safe : `${safe}-${i}`));
    if (!folder.exists) return folder;
  }
}
