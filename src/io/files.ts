import { UserError } from "../core/errors.ts";

/** Files on disk, Node only: the node modules are imported on first use, so that browsers can load what imports this file. */

/**
 * Replaces the file at `path` by `data`, or leaves it as it was: readers, and runs killed at any moment, see the old content
 * or the new, never a part. The bytes go to a temporary file beside it, are flushed to the disk, and take the name by renaming.
 * Missing parent folders are made. Pieces are written one after the other, so large content need not be joined in memory.
 */
export async function writeAtomic(path: string, data: string | Uint8Array | Iterable<Uint8Array>): Promise<void> {
  const fs = await import("node:fs");
  const { basename, dirname, join } = await import("node:path");
  try {
    const target = fs.existsSync(path) ? fs.realpathSync(path) : path;
    const stat = fs.statSync(target, { throwIfNoEntry: false });
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
    if (stat?.isDirectory()) throw fileError(path, { code: "EISDIR" }, "write");
    if (stat && !stat.isFile()) return writeAll(fs, target, pieces); // a pipe or a device must not be replaced

    const folder = dirname(target);
    fs.mkdirSync(folder, { recursive: true });
    removeOrphans(fs, folder, basename(target));
    const temporary = join(folder, `.${basename(target)}.${process.pid}.tmp`);
    try {
      writeAll(fs, temporary, pieces, stat?.mode);
      fs.renameSync(temporary, target);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    }
    syncFolder(fs, folder);
  } catch (error) {
    throw fileError(path, error, "write");
  }
}

/**
 * Adds `line` and a newline at the end of the file at `path`, which is made with its folders where missing. Where a crash has left
 * a half line, the new one still starts on its own.
 */
export async function appendLine(path: string, line: string): Promise<void> {
  const fs = await import("node:fs");
  const { dirname } = await import("node:path");
  try {
    fs.mkdirSync(dirname(path), { recursive: true });
    const file = fs.openSync(path, "a+");
    try {
      const { size } = fs.fstatSync(file);
      const last = new Uint8Array(1);
      const half = size > 0 && fs.readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
      fs.writeFileSync(file, `${half ? "\n" : ""}${line}\n`);
    } finally {
      fs.closeSync(file);
    }
  } catch (error) {
    throw fileError(path, error, "write");
  }
}

/** The whole file as bytes. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  try {
    return await readFile(path);
  } catch (error) {
    throw fileError(path, error, "read");
  }
}

/** A failed call of node:fs in the user's words; what is not the user's to mend is returned unchanged. */
export function fileError(path: string, error: unknown, action: "read" | "write" = "read"): unknown {
  const code = (error as { code?: string } | null)?.code ?? "";
  const [what, hint] = REASONS[code] ?? [];
  if (what === undefined || error instanceof UserError) return error;
  const fitting = action === "read" && code === "ENOENT" ? "Check the path and the folder you are in." : hint;
  return new UserError(`Cannot ${action} ${path}: ${what}.`, fitting);
}

const REASONS: Record<string, [what: string, hint?: string]> = {
  ENOENT: ["there is no such file or folder", "Check that its folder exists."],
  EACCES: ["permission denied", "Choose a place that belongs to you, or change the permissions."],
  EPERM: ["permission denied", "Choose a place that belongs to you, or change the permissions."],
  EROFS: ["the disk is read-only", "Choose another place."],
  ENOSPC: ["the disk is full", "Free some space or choose another disk; what was there before is unharmed."],
  EDQUOT: ["your disk quota is used up", "Free some space or choose another disk; what was there before is unharmed."],
  EISDIR: ["it is a folder, not a file", "Give the name of a file."],
  ENOTDIR: ["a part of the path is a file, not a folder", "Check the path."],
  EEXIST: ["a part of the path is a file, not a folder", "Check the path."],
  ENAMETOOLONG: ["the name is too long", "Choose a shorter one."],
  EMFILE: ["too many files are open"],
};

type Fs = typeof import("node:fs");

function writeAll(fs: Fs, path: string, pieces: Iterable<Uint8Array>, mode?: number): void {
  const file = fs.openSync(path, "w");
  try {
    if (mode !== undefined) fs.fchmodSync(file, mode & 0o7777);
    for (const piece of pieces) fs.writeFileSync(file, piece);
    if (fs.fstatSync(file).isFile()) fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/** Removes the temporary files of runs that were killed while they wrote this very file. */
function removeOrphans(fs: Fs, folder: string, base: string): void {
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(`.${base}.`)) continue;
    const pid = /^(\d+)\.tmp$/.exec(name.slice(base.length + 2))?.[1];
    if (pid !== undefined && !alive(Number(pid))) fs.rmSync(`${folder}/${name}`, { force: true });
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}

/** Makes the renaming itself survive a power cut. Windows cannot open folders and does not need it. */
function syncFolder(fs: Fs, folder: string): void {
  if (process.platform === "win32") return;
  const file = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}
