import { UserError } from "../core/errors.ts";
import { widenBf16, widenF16 } from "./half.ts";
import { type ByteSource, openBytes } from "./source.ts";

/**
 * Safetensors: 8 bytes length n of the header (u64, little-endian), n bytes JSON
 * `{"__metadata__": {key: text}, name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …}`, then the data,
 * row-major and little-endian, without gaps. Offsets count from the end of the header.
 * @see https://huggingface.co/docs/safetensors
 */

export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** F16 and BF16 hold values that f32 has too, and come as Float32Array; BOOL comes as 0 and 1; the others as their own type. */
const DTYPES = {
  F64: { bytes: 8, view: Float64Array },
  F32: { bytes: 4, view: Float32Array },
  F16: { bytes: 2, view: Uint16Array },
  BF16: { bytes: 2, view: Uint16Array },
  I64: { bytes: 8, view: BigInt64Array },
  U64: { bytes: 8, view: BigUint64Array },
  I32: { bytes: 4, view: Int32Array },
  U32: { bytes: 4, view: Uint32Array },
  I16: { bytes: 2, view: Int16Array },
  U16: { bytes: 2, view: Uint16Array },
  I8: { bytes: 1, view: Int8Array },
  U8: { bytes: 1, view: Uint8Array },
  BOOL: { bytes: 1, view: Uint8Array },
};

export type Dtype = keyof typeof DTYPES;

export interface StoredTensor {
  dtype: Dtype;
  shape: number[];
  data: TensorData;
}

/** Where a tensor lies: `[begin, end)` in bytes from the start of the file. */
export interface TensorEntry {
  dtype: Dtype;
  shape: number[];
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  /** In the order of the file. */
  entries: Map<string, TensorEntry>;
  metadata: Record<string, string>;
}

/** What can be written, a Tensor among others: the dtype follows from the array (Float32Array → F32 …). */
export interface TensorToStore {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** The reference implementation's limit. */
const HEADER_LIMIT = 100_000_000;

/** Bytes that are read at a time. */
const PIECE = 1 << 22;

/**
 * The file as pieces, one for the header and one, uncopied, per tensor: a large model is written (`writeAtomic(path, pieces)`)
 * without holding it twice. Wide types come first, so that every tensor is aligned; within a type the order is the caller's.
 * `data` is asked for when a tensor's piece is: use up each piece before the next where it is a view of memory that may move.
 */
export function safetensorsPieces(
  tensors: Readonly<Record<string, TensorToStore>> | ReadonlyMap<string, TensorToStore>,
  metadata: Record<string, string> = {},
): Iterable<Uint8Array> {
  const given: [string, TensorToStore][] = [...(tensors instanceof Map ? tensors : Object.entries(tensors))];
  const named = given.map(([name, tensor]) => {
    const { shape, data } = tensor;
    const size = shape.reduce((product, n) => product * n, 1);
    if (name === "__metadata__") throw new UserError('No tensor can be called "__metadata__".');
    if (size !== data.length) {
      throw new UserError(
        `Tensor "${name}": shape [${shape.join(", ")}] has ${size} elements, the data ${data.length}.`,
      );
    }
    return { name, tensor, dtype: dtypeOf(data), bytes: data.byteLength };
  });
  named.sort((a, b) => DTYPES[b.dtype].bytes - DTYPES[a.dtype].bytes);
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  let offset = 0;
  for (const { name, tensor, dtype, bytes } of named)
    header.push([name, { dtype, shape: tensor.shape, data_offsets: [offset, (offset += bytes)] }]);
  const json = new TextEncoder().encode(
    `{${header.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join()}}`,
  );
  const length = Math.ceil(json.length / 8) * 8;
  const start = new Uint8Array(8 + length).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(length), true);
  start.set(json, 8);
  return {
    *[Symbol.iterator]() {
      yield start;
      for (const { tensor } of named) {
        const { buffer, byteOffset, byteLength } = tensor.data;
        yield new Uint8Array(buffer, byteOffset, byteLength);
      }
    },
  };
}

/** The file as one array of bytes. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, TensorToStore>> | ReadonlyMap<string, TensorToStore>,
  metadata?: Record<string, string>,
): Uint8Array {
  const pieces = [...safetensorsPieces(tensors, metadata)];
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

/**
 * Reads a whole file. Tensors are views of `bytes` where their type and alignment allow, else copies.
 * `file` names the source in errors. Anything that the format forbids is an error, never a guess.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  { file = "safetensors" }: { file?: string } = {},
): { tensors: Map<string, StoredTensor>; metadata: Record<string, string> } {
  const length = headerLength(bytes.subarray(0, 8), bytes.length, file);
  const { entries, metadata } = parseHeader(bytes.subarray(8, 8 + length), bytes.length, file);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of entries) tensors.set(name, decodeTensor(bytes.subarray(entry.begin, entry.end), entry));
  return { tensors, metadata };
}

/** A file that is read one tensor, or one piece of a tensor, at a time. */
export interface SafetensorsFile extends SafetensorsHeader {
  /** What messages call it. */
  readonly name: string;
  read(name: string): Promise<StoredTensor>;
  /** A tensor's values as f32 in order, at most 4 MiB of the file at a time. Each piece is good until the next is asked for. */
  pieces(name: string): AsyncIterable<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens a file (a path in Node, a File in browsers) and reads its header; `read` fetches single tensors, `pieces` parts of them, so
 * that a file of any size costs no more memory than these. `file` names the source in errors.
 */
export async function openSafetensors(
  source: ByteSource,
  { file: name }: { file?: string } = {},
): Promise<SafetensorsFile> {
  const reader = await openBytes(source, name);
  const { size, name: file } = reader;
  const readRange = async (begin: number, end: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(end - begin);
    await reader.read(begin, bytes);
    return bytes;
  };
  try {
    const length = headerLength(await readRange(0, Math.min(8, size)), size, file);
    const { entries, metadata } = parseHeader(await readRange(8, 8 + length), size, file);
    const find = (name: string): TensorEntry => {
      const entry = entries.get(name);
      if (!entry)
        throw new UserError(`${file}: there is no tensor "${name}".`, `It has ${listing([...entries.keys()])}.`);
      return entry;
    };
    return {
      name: file,
      entries,
      metadata,
      async read(name) {
        const entry = find(name);
        return decodeTensor(await readRange(entry.begin, entry.end), entry);
      },
      async *pieces(name) {
        const { dtype, begin, end } = find(name);
        const bytes = new Uint8Array(Math.min(PIECE, end - begin));
        const widened = new Float32Array(dtype === "F16" || dtype === "BF16" ? bytes.length / 2 : 0);
        for (let at = begin; at < end; at += bytes.length) {
          const part = bytes.subarray(0, Math.min(bytes.length, end - at));
          await reader.read(at, part);
          const shape = [part.length / DTYPES[dtype].bytes];
          yield toFloat32(decodeTensor(part, { dtype, shape }, widened));
        }
      },
      close: () => reader.close(),
    };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** The values as f32: a copy, except where they are f32 already. */
export function toFloat32({ data }: { data: TensorData }): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float32Array.from(data, Number);
  return Float32Array.from(data);
}

function dtypeOf(data: TensorData): Dtype {
  for (const [dtype, { view }] of Object.entries(DTYPES)) {
    if (dtype !== "F16" && dtype !== "BF16" && data instanceof view) return dtype as Dtype;
  }
  throw new UserError("A tensor's data must be a typed array of numbers.");
}

/** `widened`, where given, takes the values of half types. */
function decodeTensor(
  bytes: Uint8Array,
  { dtype, shape }: Pick<TensorEntry, "dtype" | "shape">,
  widened?: Float32Array,
): StoredTensor {
  const { view: View, bytes: width } = DTYPES[dtype];
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const data = new View(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.length / width);
  if (dtype !== "F16" && dtype !== "BF16") return { dtype, shape, data };
  const values = widened?.subarray(0, data.length) ?? new Float32Array(data.length);
  (dtype === "F16" ? widenF16 : widenBf16)(data as Uint16Array, values);
  return { dtype, shape, data: values };
}

/** Bytes of the JSON header, checked against the size of the file. */
function headerLength(first: Uint8Array, fileSize: number, file: string): number {
  if (first.length < 8) throw broken(file, `it has only ${first.length} bytes`);
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (length > BigInt(Math.min(fileSize - 8, HEADER_LIMIT))) {
    if (String.fromCharCode(...first.subarray(0, 4)) === "PK\x03\x04")
      throw new UserError(
        `${file} is a zip archive, as torch.save writes it, and no safetensors file.`,
        "Save the weights in Python with safetensors.torch.save_file(model.state_dict(), FILE).",
      );
    throw broken(file, `its header claims ${length} bytes, the file has ${fileSize}`);
  }
  return Number(length);
}

function parseHeader(json: Uint8Array, fileSize: number, file: string): SafetensorsHeader {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
    header = JSON.parse(text);
  } catch (error) {
    throw broken(file, `its header is not JSON (${(error as Error).message.slice(0, 80)})`);
  }
  if (!isObject(header) || !text.startsWith("{")) throw broken(file, "its header is not a JSON object");
  const twice = duplicateKey(text);
  if (twice !== undefined) throw broken(file, `its header has the key ${quote(twice)} twice`);

  const metadata: [string, string][] = [];
  const entries: [string, TensorEntry][] = [];
  const dataBegin = 8 + json.length;
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") entries.push([name, parseEntry(name, value, dataBegin, fileSize, file)]);
    else if (!isObject(value)) throw broken(file, "its __metadata__ is not an object");
    else {
      for (const [key, content] of Object.entries(value)) {
        if (typeof content !== "string") throw broken(file, `its __metadata__ ${quote(key)} is not a text`);
        metadata.push([key, content]);
      }
    }
  }

  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let end = dataBegin;
  for (const [name, entry] of entries) {
    if (entry.begin < end) throw broken(file, `tensor ${quote(name)} overlaps the one before it`);
    if (entry.begin > end)
      throw broken(file, `there is a gap of ${entry.begin - end} bytes before tensor ${quote(name)}`);
    end = entry.end;
  }
  if (end < fileSize) throw broken(file, `${fileSize - end} bytes at its end belong to no tensor`);
  return { entries: new Map(entries), metadata: Object.fromEntries(metadata) };
}

function parseEntry(name: string, value: unknown, dataBegin: number, fileSize: number, file: string): TensorEntry {
  const fail = (why: string) => broken(file, `tensor ${quote(name)} ${why}`);
  if (!isObject(value)) throw fail("is not described by an object");
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const more = Object.keys(rest)[0];
  if (more !== undefined) throw fail(`has an unknown field ${quote(more)}`);
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPES, dtype)) {
    throw fail(`has dtype ${quote(dtype)}; readable are ${Object.keys(DTYPES).join(", ")}`);
  }
  if (!isSizes(shape)) throw fail(`has shape ${quote(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw fail(`has data_offsets ${quote(offsets)}`);
  }
  const [begin, end] = offsets.map((offset) => dataBegin + offset);
  if (end > fileSize) throw fail(`ends at byte ${end}, the file at ${fileSize}: the file is cut off`);
  const size = shape.reduce((product, n) => product * n, DTYPES[dtype as Dtype].bytes);
  if (size !== end - begin) {
    throw fail(`of type ${dtype} and shape [${shape.join(", ")}] needs ${size} bytes but has ${end - begin}`);
  }
  return { dtype: dtype as Dtype, shape, begin, end };
}

/** A key that some object of a valid JSON text has twice: JSON.parse would silently keep the last. */
function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    if (json[i] === "{") open.push(new Set());
    else if (json[i] === "}") open.pop();
    else if (json[i] === '"') {
      const start = i++;
      while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
      let next = i + 1;
      while (" \t\n\r".includes(json[next])) next++;
      if (json[next] !== ":") continue;
      const key: string = JSON.parse(json.slice(start, i + 1));
      const keys = open[open.length - 1];
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null && !Array.isArray(x);

const isSizes = (x: unknown): x is number[] => Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0);

/** Foreign text in a message: as JSON, so that no control character reaches a terminal, and short. */
function quote(x: unknown): string {
  const text = JSON.stringify(x) ?? "missing";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function listing(names: string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(", ")} and ${names.length - 8} more` : names.join(", ");
}

function broken(file: string, why: string): UserError {
  return new UserError(
    `${file} is not a valid safetensors file: ${why}.`,
    "It may be damaged or only partly downloaded.",
  );
}
