/**
 * Downloads that survive: a cut connection is resumed, now or by the next run, and the file appears under its name only when it
 * is whole and its checksum right. Node only.
 */

import { UserError } from "../core/errors.ts";
import { formatBytes, PartFile } from "./partfile.ts";

export interface DownloadProgress {
  /** Bytes on disk, those of earlier runs included. Falls back to 0 where the server makes us start again. */
  received: number;
  /** Bytes of the whole file, where the server says so. */
  total?: number;
  /** 1 for the first connection, 2 after the first interruption, … */
  attempt: number;
}

export interface DownloadOptions {
  /** Path of the finished file. Missing folders are made. */
  to: string;
  /** SHA-256 of the finished file, 64 hexadecimal digits. */
  sha256?: string;
  /** Go on from what an earlier run left (default), or start again. */
  resume?: boolean;
  onProgress?: (progress: DownloadProgress) => void;
  /** Stops the download, which then rejects with the signal's reason. What arrived is kept for the next run. */
  signal?: AbortSignal;
  /** How often to connect again after an interruption. Default 4. */
  retries?: number;
  /** Wait before the first retry, doubled for each further one, ms. Default 1000. */
  delay?: number;
  /** A connection that brings nothing for so long counts as cut, ms. Default 30000. */
  timeout?: number;
}

/** The network's fault, which another attempt may mend. */
class Interruption extends Error {}

/**
 * The content of `url` → the file `to`.
 *
 * @throws UserError when the address is wrong or gone, the connection was cut once more than `retries`, the checksum differs
 *         (the bytes are then removed), the disk is full, or another process is downloading to the same place
 */
export async function download(url: string, options: DownloadOptions): Promise<void> {
  const { to, sha256, resume = true, signal, retries = 4, delay = 1000 } = options;
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ""))
    throw new UserError(`${JSON.stringify(url)} is not an address to download from.`, "It must begin with https://");
  signal?.throwIfAborted();
  const part = await PartFile.open(to, url);
  try {
    if (!resume) await part.restart();
    for (let attempt = 1; ; ) {
      try {
        await transfer(url, part, attempt, options);
      } catch (error) {
        if (!(error instanceof Interruption)) throw error;
        if (attempt > retries) throw gaveUp(url, part, attempt, error);
        await sleep(delay * 2 ** (attempt++ - 1), signal);
        continue;
      }
      const actual = sha256 && (await sha256File(part.path));
      if (actual === sha256?.toLowerCase()) return await part.finish();
      // The beginning that an earlier run left may be what is wrong: then once more from the start.
      const { inherited } = part;
      await part.restart();
      if (!inherited) throw wrongChecksum(url, sha256!, actual!);
    }
  } finally {
    await part.close();
  }
}

/** SHA-256 of a file in hexadecimal. */
export async function sha256File(path: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  const { createReadStream } = await import("node:fs");
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** One connection: asks for what is missing and appends it. */
async function transfer(url: string, part: PartFile, attempt: number, options: DownloadOptions): Promise<void> {
  const { signal, timeout = 30_000, onProgress } = options;
  const connection = new AbortController();
  const abort = () => connection.abort(signal!.reason);
  signal?.addEventListener("abort", abort);

  /** The next thing from the network. Whatever goes wrong with it is an interruption, except the caller's own abort. */
  async function arrival<T>(next: Promise<T>): Promise<T> {
    const silence = new Interruption(`nothing arrived for ${timeout / 1000} s`);
    const timer = setTimeout(() => connection.abort(silence), timeout);
    try {
      return await next;
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof Interruption ? error : new Interruption(networkReason(error));
    } finally {
      clearTimeout(timer);
    }
  }

  try {
    if (!part.resumable) await part.restart();
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (part.size > 0) Object.assign(headers, { range: `bytes=${part.size}-`, "if-range": part.version });
    const response = await arrival(fetch(url, { headers, signal: connection.signal }));
    const total = await accept(url, response, part);
    if (total !== undefined) await part.requireSpace(total);
    onProgress?.({ received: part.size, total, attempt });
    const reader = part.size === total ? undefined : response.body?.getReader();
    for (let next = await read(); next && !next.done; next = await read()) {
      await part.append(next.value, total);
      onProgress?.({ received: part.size, total, attempt });
    }
    function read() {
      return reader && arrival(reader.read());
    }
    if (total !== undefined && part.size !== total)
      throw new Interruption(`the connection closed after ${formatBytes(part.size)} of ${formatBytes(total)}`);
  } finally {
    signal?.removeEventListener("abort", abort);
    connection.abort();
  }
}

/** Makes `part` end where the body of `response` begins. Returns the size of the whole file, if the server says so. */
async function accept(url: string, response: Response, part: PartFile): Promise<number | undefined> {
  const header = (name: string) => response.headers.get(name) ?? undefined;
  const status = `${response.status} ${response.statusText}`.trim();
  const [, from, size] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(header("content-range") ?? "") ?? [];
  switch (response.status) {
    case 200: {
      // A compressed transfer is unpacked by fetch: neither its length nor its byte positions are those of the file.
      const packed = header("content-encoding") !== undefined;
      const etag = header("etag");
      await part.restart(packed ? undefined : etag?.startsWith('"') ? etag : header("last-modified"));
      return packed || header("content-length") === undefined ? undefined : Number(header("content-length"));
    }
    case 206:
    case 416: // the file ends here: an earlier run was stopped between its last byte and its last check
      if (Number(response.status === 206 ? from : size) === part.size) return Number(size);
      await part.restart();
      throw new Interruption("the server cannot continue where the download stopped");
    case 404:
    case 410:
      throw new UserError(`${url}: the server answered ${status}.`, "The file is not, or no longer, at this address.");
    default:
      if (response.status >= 500 || [408, 425, 429].includes(response.status))
        throw new Interruption(`the server answered ${status}`);
      throw new UserError(`${url}: the server answered ${status}.`, "It does not hand out this file.");
  }
}

function gaveUp(url: string, part: PartFile, attempts: number, cause: Interruption): UserError {
  return new UserError(
    `The download of ${url} was interrupted${attempts === 1 ? "" : ` ${attempts} times`}: ${cause.message}.`,
    part.resumable
      ? `${formatBytes(part.size)} are kept: running the same again continues from there.`
      : "Check the connection, then run the same again.",
  );
}

function wrongChecksum(url: string, expected: string, actual: string): UserError {
  return new UserError(
    `${url}: the checksum is wrong: expected sha256 ${expected}, got ${actual}. What arrived was removed.`,
    "It was damaged or replaced on the way (by a login page of the network?), or the file at the source has changed.",
  );
}

/** Node's fetch says only "fetch failed"; the reason is in `cause`. */
function networkReason(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
  if (cause?.code === "ENOTFOUND" || cause?.code === "EAI_AGAIN") return `the host was not found (${cause.code})`;
  return cause?.message || cause?.code || message;
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const { setTimeout } = await import("node:timers/promises");
  await setTimeout(ms, undefined, { signal }).catch(() => signal?.throwIfAborted());
}
