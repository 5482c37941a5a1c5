import { UserError } from "../core/errors.ts";

/** Anything that bytes can be read from: a path (Node), a Blob or File (browsers), bytes at hand, or a stream of them. */
export type Source = string | Blob | Uint8Array | AsyncIterable<Uint8Array>;

/** What to call `source` in messages: its path or file name. */
export function sourceName(source: Source): string {
  if (typeof source === "string") return source;
  return "name" in source && typeof source.name === "string" ? source.name : "input";
}

/**
 * The bytes of `source`, inflated when they begin as gzip does (the name does not matter). Nothing is kept: memory stays
 * constant however long the source is.
 *
 * @throws UserError for a missing, forbidden or unreadable file and for damaged gzip data
 */
export async function* openChunks(
  source: Source,
  { file = sourceName(source) }: { file?: string } = {},
): AsyncGenerator<Uint8Array> {
  const { head, chunks } = await peek(rawChunks(source), 2);
  yield* head[0] === 0x1f && head[1] === 0x8b ? inflate(chunks, file) : chunks;
}

/** The first `count` bytes (fewer where the stream is shorter), and the whole stream from its beginning. */
export async function peek(
  source: AsyncIterable<Uint8Array>,
  count: number,
): Promise<{ head: Uint8Array; chunks: AsyncGenerator<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  for (let size = 0; size < count; ) {
    const { done, value } = await iterator.next();
    if (done) break;
    taken.push(value);
    size += value.length;
  }
  async function* chunks() {
    try {
      yield* taken.splice(0);
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head: taken.length === 1 ? taken[0] : concat(taken), chunks: chunks() };
}

/**
 * UTF-8 text without its byte order mark, in pieces that never cut a character.
 *
 * @throws UserError naming file and line for bytes that are not UTF-8 and for NUL: an encoding is never guessed
 */
export async function* decodeText(
  source: AsyncIterable<Uint8Array>,
  { file = "input" }: { file?: string } = {},
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const { head, chunks } = await peek(source, 4);
  const lines = new LineCounter();
  let carry = new Uint8Array(0);
  let first = true;

  function decode(bytes: Uint8Array): string {
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      const at = firstInvalid(bytes);
      lines.add(bytes.subarray(0, at));
      const byte = bytes[at].toString(16).toUpperCase().padStart(2, "0");
      throw new UserError(`${file}:${lines.line}: not UTF-8 text (byte 0x${byte}).`, encodingHint(head, file));
    }
    const nul = text.indexOf("\0");
    if (nul >= 0) {
      lines.add(bytes.subarray(0, bytes.indexOf(0)));
      throw new UserError(`${file}:${lines.line}: a NUL byte: this is not a text file.`, encodingHint(head, file));
    }
    lines.add(bytes);
    if (first && text.length > 0) {
      first = false;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    return text;
  }

  for await (const chunk of chunks) {
    for (let begin = 0; begin < chunk.length; begin += PIECE) {
      const piece = chunk.subarray(begin, begin + PIECE);
      const bytes = carry.length > 0 ? concat([carry, piece]) : piece;
      const end = bytes.length - unfinished(bytes);
      carry = bytes.slice(end);
      const text = decode(bytes.subarray(0, end));
      if (text.length > 0) yield text;
    }
  }
  decode(carry);
}

/** `text` in quotes for a message: one line, at most `limit` characters. */
export function quote(text: string, limit = 60): string {
  return JSON.stringify(text.length > limit ? `${text.slice(0, limit)}…` : text);
}

/** The one of `candidates` that was probably meant by `name`: a few letters differ, or one contains the other. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    const [short, long] = wanted.length < other.length ? [wanted, other] : [other, wanted];
    let distance = Number.POSITIVE_INFINITY;
    if (long.length - short.length <= limit) distance = editDistance(short, long);
    if (distance > limit) distance = short.length >= 3 && long.includes(short) ? limit + 1 : Number.POSITIVE_INFINITY;
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** The error for a name that is not among `names`: it suggests the nearest and lists them. */
export function unknownName(what: string, name: string, names: readonly string[]): UserError {
  const near = nearest(name, names);
  const shown = names.slice(0, 20).map((known) => quote(known, 40));
  if (names.length > 20) shown.push(`… (${names.length} in all)`);
  const hint = near ? `Did you mean ${quote(near)}? ` : "";
  return new UserError(`${what} ${quote(name)}.`, `${hint}It has ${shown.join(", ")}.`);
}

/** Whether a table is JSON (lines or an array) rather than CSV: by the file's ending or, where that says nothing, its beginning. */
export function isJson(file: string, head: Uint8Array): boolean {
  const name = file.toLowerCase().replace(/\.gz$/, "");
  if (/\.(jsonl|ndjson|json)$/.test(name)) return true;
  if (/\.(csv|tsv|txt|dat)$/.test(name)) return false;
  return /^\s*(\{|\[\s*[{\]])/.test(new TextDecoder().decode(head));
}

/** A copy of `text` that does not hold alive the piece of the file it was cut from, as engines do for long substrings. */
export function ownText(text: string): string {
  return text.length < 13 ? text : JSON.parse(JSON.stringify(text));
}

/** Bytes decoded at a time: bounds the memory that a piece of text holds alive. */
const PIECE = 1 << 18;

async function* rawChunks(source: Source): AsyncGenerator<Uint8Array> {
  if (typeof source === "string") yield* readPath(source);
  else if (source instanceof Uint8Array) yield source;
  else if (source instanceof Blob) yield* readStream(source.stream());
  else yield* source instanceof ReadableStream ? readStream(source) : source;
}

/** A reader instead of for-await: not every browser can iterate a ReadableStream. */
async function* readStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function* readPath(path: string): AsyncGenerator<Uint8Array> {
  if (/^https?:\/\//i.test(path)) {
    throw new UserError(
      `${path} is a URL, not a file.`,
      "Download it first, or pass the bytes: (await fetch(url)).body.",
    );
  }
  if (!globalThis.process?.versions?.node) {
    throw new UserError(`${path}: a browser cannot open paths.`, "Pass a File or Blob instead, e.g. input.files[0].");
  }
  const { open } = await import("node:fs/promises");
  try {
    const handle = await open(path, "r");
    try {
      if ((await handle.stat()).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
      for (;;) {
        const { bytesRead, buffer } = await handle.read(new Uint8Array(PIECE), 0, PIECE);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw await pathError(path, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

async function pathError(path: string, code: string): Promise<UserError> {
  const { readdir } = await import("node:fs/promises");
  const { basename, dirname, join } = await import("node:path");
  if (code === "EISDIR") {
    const names = (await readdir(path).catch(() => [])).sort();
    const some = names.slice(0, 5).join(", ") + (names.length > 5 ? ", …" : "");
    return new UserError(`${path} is a folder, not a file.`, some ? `It holds ${some}` : "It is empty.");
  }
  if (code === "ENOENT" || code === "ENOTDIR") {
    const folder = dirname(path);
    const names = await readdir(folder).catch(() => undefined);
    if (!names) return new UserError(`${path}: there is no such file.`, `${folder} is not a folder.`);
    const name = nearest(basename(path), names.sort());
    return new UserError(`${path}: there is no such file.`, name && `Did you mean ${join(folder, name)}?`);
  }
  if (code === "EACCES" || code === "EPERM") {
    return new UserError(`${path}: no permission to read it.`, "Check the permissions of the file and of its folders.");
  }
  return new UserError(`${path} cannot be read (${code}).`);
}

async function* inflate(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new DecompressionStream("gzip");
  const writer = writable.getWriter();
  let sourceError: unknown;
  async function* guarded() {
    try {
      yield* chunks;
    } catch (error) {
      sourceError = error;
      throw error;
    }
  }
  async function feed() {
    try {
      for await (const chunk of guarded()) await writer.write(chunk as Uint8Array<ArrayBuffer>);
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => {});
    }
  }
  const fed = feed();
  try {
    yield* readStream(readable);
  } catch {
    await fed;
    throw (
      sourceError ??
      new UserError(`${file}: the gzip data is cut short or damaged.`, "Copy it again, or unpack it with gunzip.")
    );
  }
}

/** Counts lines that end in LF, CRLF or CR, across pieces. */
class LineCounter {
  line = 1;
  private afterCr = false;

  add(bytes: Uint8Array): void {
    let { line, afterCr } = this;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === 13 || (bytes[i] === 10 && !afterCr)) line++;
      afterCr = bytes[i] === 13;
    }
    this.line = line;
    this.afterCr = afterCr;
  }
}

/** How many bytes at the end begin a UTF-8 sequence that is not complete yet, 0 … 3. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

/** The index of the first byte that begins no UTF-8 character, by bisection. */
function firstInvalid(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.length + 1;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      valid = middle;
    } catch {
      invalid = middle;
    }
  }
  return valid - unfinished(bytes.subarray(0, valid));
}

function encodingHint(head: Uint8Array, file: string): string {
  const starts = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  if (starts(0x50, 0x4b))
    return "It is a zip archive or an Excel workbook: unpack it, or export the sheet as CSV (UTF-8).";
  if (starts(0x50, 0x41, 0x52, 0x31)) return "It is a Parquet file: export it as CSV or JSON lines.";
  if (starts(0x42, 0x5a, 0x68) || starts(0xfd, 0x37, 0x7a) || starts(0x28, 0xb5, 0x2f)) {
    return "It is compressed, but not by gzip: unpack it first.";
  }
  const utf16 = starts(0xff, 0xfe) || starts(0xfe, 0xff) || head.includes(0);
  return `Convert it to UTF-8, e.g. iconv -f ${utf16 ? "UTF-16" : "WINDOWS-1252"} -t UTF-8 ${file} > utf8.csv`;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Levenshtein's distance: insertions, deletions and substitutions that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: a.length + 1 }, (_, i) => i);
  for (let j = 1; j <= b.length; j++) {
    const row = [j];
    for (let i = 1; i <= a.length; i++) {
      const substituted = previous[i - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(previous[i] + 1, row[i - 1] + 1, substituted));
    }
    previous = row;
  }
  return previous[a.length];
}
