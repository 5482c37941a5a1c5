/**
 * A file that is not whole yet, on disk. Until `finish` its bytes are in `<to>.part`; `<to>.part.json` remembers which version of
 * which URL they begin, and `<to>.part.lock` which process is writing them. Node only.
 */

import type { FileHandle } from "node:fs/promises";
import { UserError } from "../core/errors.ts";

/** The locks of this process. One that bears our number and is not among them is of a dead one that had the same number. */
const held = new Set<string>();

export class PartFile {
  /** Where the bytes are. */
  readonly path: string;
  /** How many there are. */
  size = 0;
  /** The server's mark of the content that they begin; without one nothing can be appended to them safely. */
  version: string | undefined;
  /** Whether a former run wrote some of them. */
  inherited = false;
  private file: FileHandle | undefined;

  private constructor(
    private readonly to: string,
    private readonly url: string,
    private readonly fs: typeof import("node:fs/promises"),
    private readonly folder: string,
  ) {
    this.path = `${to}.part`;
  }

  /** The beginning of `url` that an earlier run left, or an empty one. Missing folders are made. */
  static async open(to: string, url: string): Promise<PartFile> {
    const { promises: fs } = await import("node:fs");
    const { dirname, resolve } = await import("node:path");
    const part = new PartFile(resolve(to), url, fs, dirname(resolve(to)));
    await part.onDisk(fs.mkdir(part.folder, { recursive: true }));
    await part.lock();
    try {
      part.file = await part.onDisk(fs.open(part.path, "a"));
      part.size = (await part.file.stat()).size;
      const note = await part.readNote();
      if (note.url === url && note.version) [part.version, part.inherited] = [note.version, part.size > 0];
      else await part.restart();
      return part;
    } catch (error) {
      await part.close();
      throw error;
    }
  }

  /** Forgets what there is and begins with the content of `version`. */
  async restart(version?: string): Promise<void> {
    if (this.size > 0) await this.onDisk(this.file!.truncate(0));
    [this.size, this.version, this.inherited] = [0, version, false];
    await this.onDisk(this.fs.writeFile(`${this.path}.json`, JSON.stringify({ url: this.url, version })));
  }

  /** Adds `bytes` at the end; `total`, the size of the whole file, is for the message when the disk is full. */
  async append(bytes: Uint8Array, total = this.size + bytes.length): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const { bytesWritten } = await this.onDisk(this.file!.write(bytes, from), total);
      from += bytesWritten;
      this.size += bytesWritten;
    }
  }

  /** Better told before an hour of downloading than after it. */
  async requireSpace(total: number): Promise<void> {
    if (total - this.size > ((await this.free()) ?? Number.POSITIVE_INFINITY)) throw await this.full(total);
  }

  /** Takes the final name: from here on the file is there, and whole, for everybody. */
  async finish(): Promise<void> {
    await this.onDisk(this.file!.sync());
    await this.onDisk(this.fs.rename(this.path, this.to));
    await this.fs.rm(`${this.path}.json`, { force: true });
  }

  /** Leaves nothing behind but bytes worth continuing from. */
  async close(): Promise<void> {
    await this.file?.close();
    if (!this.resumable) for (const end of ["", ".json"]) await this.fs.rm(this.path + end, { force: true });
    held.delete(`${this.path}.lock`);
    await this.fs.rm(`${this.path}.lock`, { force: true });
  }

  /** Whether another run can go on from here. */
  get resumable(): boolean {
    return this.size > 0 && this.version !== undefined;
  }

  /** A killed run can leave the note missing or half written: then nothing is known of the bytes. */
  private async readNote(): Promise<{ url?: string; version?: string }> {
    try {
      return JSON.parse(await this.fs.readFile(`${this.path}.json`, "utf8"));
    } catch {
      return {};
    }
  }

  /** Two writers of one file would spoil it. The lock of a process that died is taken over. */
  private async lock(): Promise<void> {
    const lock = `${this.path}.lock`;
    if (held.has(lock)) throw this.busy(process.pid);
    held.add(lock);
    try {
      while (!(await this.createLock(lock))) {
        const owner = await this.lockOwner(lock);
        if (owner !== process.pid && isAlive(owner)) throw this.busy(owner);
        await this.fs.rm(lock, { force: true });
      }
    } catch (error) {
      held.delete(lock);
      throw error;
    }
  }

  private async createLock(lock: string): Promise<boolean> {
    try {
      await this.fs.writeFile(lock, String(process.pid), { flag: "wx" });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw await this.diskError(error);
    }
  }

  /** Between making a lock and writing its number into it lies a moment; an empty lock that stays empty is of nobody. */
  private async lockOwner(lock: string): Promise<number> {
    const read = async () => Number(await this.fs.readFile(lock, "utf8").catch(() => ""));
    const owner = await read();
    if (owner > 0) return owner;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return read();
  }

  private busy(owner: number): UserError {
    return new UserError(
      `${this.to} is being downloaded by process ${owner} already.`,
      `Wait for it. If there is no such download, remove ${this.path}.lock`,
    );
  }

  private async onDisk<T>(action: Promise<T>, total?: number): Promise<T> {
    try {
      return await action;
    } catch (error) {
      throw await this.diskError(error, total);
    }
  }

  private async diskError(error: unknown, total?: number): Promise<UserError> {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT") return this.full(total);
    return new UserError(`Cannot write ${this.to}: ${message}.`, "Choose a folder in which you may write.");
  }

  private async full(total?: number): Promise<UserError> {
    const needed = total === undefined ? "more space" : `${formatBytes(total - this.size)} more`;
    const free = await this.free();
    return new UserError(
      `The disk is full: ${this.to} needs ${needed}${free === undefined ? "" : `, ${formatBytes(free)} are free`}.`,
      `Free some space or choose a folder on another disk.${this.resumable ? ` Running the same again continues at ${formatBytes(this.size)}.` : ""}`,
    );
  }

  /** Free bytes on the disk, where the file system tells. */
  private async free(): Promise<number | undefined> {
    try {
      const { bavail, bsize } = await this.fs.statfs(this.folder);
      return bavail * bsize;
    } catch {
      return undefined;
    }
  }
}

/** "1.2 MB"; decimal units, as disks and downloads are measured. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const power = bytes < 1e6 ? 1 : bytes < 1e9 ? 2 : 3;
  return `${(bytes / 1000 ** power).toFixed(1)} ${["kB", "MB", "GB"][power - 1]}`;
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
