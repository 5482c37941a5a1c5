import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "../core/errors.ts";
import { writeExtxyz } from "../data/extxyz.ts";
import type { Structure } from "../data/structure.ts";
import { fileError } from "../io/files.ts";

/** Frames of extended xyz written one by one; the file takes its name when it is complete, and an older one lasts until then. */
export class TrajectoryFile {
  /** Frames written. */
  frames = 0;
  private readonly target: string;
  private readonly temporary: string;
  private readonly file: number;

  /** @throws UserError where it cannot be written, or is one of the inputs */
  constructor(
    readonly path: string,
    inputs: readonly string[],
  ) {
    checkOutput(path, inputs);
    this.target = existsSync(path) ? realpathSync(path) : path;
    // A pipe or a device must not be replaced.
    const direct = existsSync(path) && !statSync(path).isFile();
    this.temporary = direct ? this.target : join(dirname(this.target), `.${basename(this.target)}.${process.pid}.tmp`);
    this.file = this.guard(() => openSync(this.temporary, "w"));
  }

  add(structure: Structure): void {
    const bytes = new TextEncoder().encode(writeExtxyz([structure]));
    this.guard(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.file, bytes, at);
    });
    this.frames++;
  }

  finish(): void {
    this.guard(() => {
      if (this.temporary !== this.target) fsyncSync(this.file);
      closeSync(this.file);
      if (this.temporary !== this.target) renameSync(this.temporary, this.target);
    });
  }

  abandon(): void {
    closeSync(this.file);
    if (this.temporary !== this.target) rmSync(this.temporary, { force: true });
  }

  private guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw fileError(this.path, error, "write");
    }
  }
}

/** @throws UserError for a folder, and for a file that is also read */
export function checkOutput(path: string, inputs: readonly string[]): void {
  const old = statSync(path, { throwIfNoEntry: false });
  if (old?.isDirectory()) throw fileError(path, { code: "EISDIR" }, "write");
  if (old?.isFile() && inputs.some((file) => existsSync(file) && realpathSync(file) === realpathSync(path)))
    throw new UserError(`${path} is the file that is read.`, "Choose another name for what is written.");
}
