import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../core/errors.ts";
import { appendLine, fileError, readBytes, writeAtomic } from "../io/files.ts";
import { decodeSafetensors, safetensorsPieces, toFloat32 } from "../io/safetensors.ts";
import type { ConformalConfig } from "../train/conformal.ts";
import type { Checkpoint, EpochRecord } from "../train/fit.ts";

/** What makes a folder of trained members an ensemble. */
const ENSEMBLE = "ensemble.json";

/** What `ensemble.json` says: the members' model files, from the folder, and how wide intervals must be. */
export interface EnsembleFile {
  format: "spinel-ensemble";
  version: 1;
  members: string[];
  conformal?: ConformalConfig;
}

/** The files of a run. */
const FILES =
  /^(config\.json|results\.json(?:\.gz)?|ensemble\.json|checkpoint\.safetensors|model\.safetensors|metrics\.jsonl|predictions\.(?:csv|xyz)|report\.html|events\.out\.tfevents\..*)$/;

/** What a killed process left of a file that it was writing. */
const UNFINISHED = /^\..+\.\d+\.tmp$/;

/** The folder of a run: what is in it, and that every file in it is whole at every moment. */
export class RunFolder {
  constructor(readonly path: string) {}

  /** runs/NAME, or runs/NAME-2, … where that is taken; made at once, so that of two runs started together each has its own. */
  static fresh(name: string): RunFolder {
    const safe = name.replace(/[^\p{L}\p{N}_.+-]+/gu, "_");
    for (let i = 1; ; i++) {
      const folder = new RunFolder(join("runs", i === 1 ? safe : `${safe}-${i}`));
      if (folder.create()) return folder;
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Whether something is in the way of a new run. */
  get used(): boolean {
    try {
      return readdirSync(this.path).some((name) => !UNFINISHED.test(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw fileError(this.path, error, "write");
    }
  }

  has(name: string): boolean {
    return existsSync(this.file(name));
  }

  /** Makes the folder and those above it; false where there is one already. */
  create(): boolean {
    try {
      return makeFolder(this.path);
    } catch (error) {
      throw fileError(this.path, error, "write");
    }
  }

  /** Removes what an earlier run left here, and nothing else: its checkpoint and results must not pass for this one's. */
  clear(): void {
    rmSync(this.file("config.json"), { force: true }); // first: without it there is no run that could be resumed
    for (const name of readdirSync(this.path)) {
      if (FILES.test(name) || UNFINISHED.test(name)) rmSync(this.file(name));
      else if (/^(fold|member|choice)\d+$/.test(name)) {
        const fold = new RunFolder(this.file(name));
        fold.clear();
        if (!fold.used) rmdirSync(fold.path);
      }
    }
  }

  write(name: string, content: string | Iterable<Uint8Array>): Promise<void> {
    return writeAtomic(this.file(name), content);
  }

  read(name: string): string {
    try {
      return readFileSync(this.file(name), "utf8");
    } catch (error) {
      throw fileError(this.file(name), error);
    }
  }

  /** One file holds weights, optimizer and state, so that they can never be of different moments. */
  saveCheckpoint({ state, tensors }: Checkpoint): Promise<void> {
    return this.write("checkpoint.safetensors", safetensorsPieces(tensors, { fit: JSON.stringify(state) }));
  }

  async loadCheckpoint(): Promise<Checkpoint | undefined> {
    if (!this.has("checkpoint.safetensors")) return undefined;
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

/** One level at a time: mkdir's own recursion never returns where a file system answers ENOENT for good, as /proc does. */
function makeFolder(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return false;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST" && statSync(path).isDirectory()) return false;
    throw error;
  }
}

/** A run's folder stands for the model in it. */
export function modelFile(path: string): string {
  const file = join(path, "model.safetensors");
  return existsSync(file) ? file : path;
}

/** The ensemble that a folder holds, with the members' whole paths. */
export function ensembleIn(path: string): EnsembleFile | undefined {
  const folder = new RunFolder(path);
  if (!folder.has(ENSEMBLE)) return undefined;
  const file: EnsembleFile = JSON.parse(folder.read(ENSEMBLE));
  if (file.format !== "spinel-ensemble" || file.version !== 1)
    throw new UserError(`${folder.file(ENSEMBLE)} was written by a newer spinel.`, "Update spinel.");
  return { ...file, members: file.members.map((name) => folder.file(name)) };
}

/** The same where nothing but a model will do. @throws UserError for a folder without one */
export function existingModel(path: string): string {
  const file = modelFile(path);
  if (!statSync(file, { throwIfNoEntry: false })?.isDirectory()) return file;
  const part = ["fold1", "member1"].find((name) => existsSync(join(path, name, "model.safetensors")));
  throw new UserError(
    `${path} is no run with a model: it holds no model.safetensors.`,
    part && (part === "fold1" || existsSync(join(path, ENSEMBLE)))
      ? `Its ${part.slice(0, -1)}s have one each: give ${join(path, part)}, for example.`
      : existsSync(join(path, "config.json"))
        ? "The run in it is not finished: go on with train --resume."
        : "The model comes first, then the files.",
  );
}
