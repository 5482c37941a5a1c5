import { fileError } from "../io/files.ts";

/**
 * Event files of TensorBoard, scalars only. A file is a row of records: length (u64), its checksum, an Event as protocol buffer,
 * its checksum. Checksums are masked CRC-32C; all numbers are little-endian.
 * @see tensorflow/core/util/event.proto and summary.proto for the field numbers
 */
export class EventWriter {
  #pending: Uint8Array[] = [];

  /** `append` takes the bytes to be added to the file; `wallTime` is in seconds since 1970. */
  constructor(
    private readonly append: (bytes: Uint8Array) => void,
    wallTime: number,
  ) {
    this.#add([double(WALL_TIME, wallTime), text(FILE_VERSION, "brain.Event:2")]);
  }

  /**
   * Starts a new file in `directory`, as TensorBoard expects of every process: several files are shown as one run.
   * `resumeStep` tells it to drop what an earlier, killed process wrote for this step and later ones.
   */
  static async open(directory: string, options: { resumeStep?: number } = {}): Promise<EventWriter> {
    const fs = await import("node:fs");
    const { hostname } = await import("node:os");
    const { join } = await import("node:path");
    const wallTime = Date.now() / 1000;
    const host = hostname().replace(/[^\w-]/g, "_");
    const stem = join(directory, `events.out.tfevents.${Math.floor(wallTime)}.${host}.${process.pid}`);
    let file: string;
    try {
      fs.mkdirSync(directory, { recursive: true });
      for (let i = 0; fs.existsSync((file = `${stem}.${i}`)); i++);
    } catch (error) {
      throw fileError(directory, error, "write");
    }
    const writer = new EventWriter((bytes) => {
      try {
        fs.appendFileSync(file, bytes);
      } catch (error) {
        throw fileError(file, error, "write");
      }
    }, wallTime);
    if (options.resumeStep !== undefined) writer.#restart(options.resumeStep, wallTime);
    writer.flush();
    return writer;
  }

  /** A point of the curve `tag`, e.g. "loss/train". Kept in memory until `flush`. */
  scalar(tag: string, value: number, step: number, wallTime = Date.now() / 1000): void {
    const summary = message(SUMMARY, [message(SUMMARY_VALUE, [text(TAG, tag), float(SIMPLE_VALUE, value)])]);
    this.#add([double(WALL_TIME, wallTime), integer(STEP, step), summary]);
  }

  /** Hands everything pending to the file in one piece. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const bytes = join(this.#pending);
    this.#pending = [];
    this.append(bytes);
  }

  #restart(step: number, wallTime: number): void {
    this.#add([double(WALL_TIME, wallTime), integer(STEP, step), message(SESSION_LOG, [integer(STATUS, START)])]);
  }

  #add(event: Uint8Array[]): void {
    this.#pending.push(record(join(event)));
  }
}

// Field numbers: Event, then the messages inside.
const WALL_TIME = 1;
const STEP = 2;
const FILE_VERSION = 3;
const SUMMARY = 5;
const SUMMARY_VALUE = 1;
const TAG = 1;
const SIMPLE_VALUE = 2;
const SESSION_LOG = 7;
const STATUS = 1;
const START = 1;

function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + 4 + data.length + 4);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

// A field starts with its number and its wire type: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
const key = (field: number, wire: number) => varint(field * 8 + wire);

const integer = (field: number, value: number) => join([key(field, 0), varint(value)]);

function double(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return join([key(field, 1), bytes]);
}

function float(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return join([key(field, 5), bytes]);
}

function message(field: number, parts: Uint8Array[]): Uint8Array {
  const body = join(parts);
  return join([key(field, 2), varint(body.length), body]);
}

const text = (field: number, value: string) => message(field, [new TextEncoder().encode(value)]);

/** 7 bits a byte, lowest first, the top bit set in all but the last; `value` a whole number from 0 to 2⁵³. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function join(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** TensorFlow's mask keeps a checksum of bytes that contain checksums from degenerating. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (Castagnoli): reflected polynomial 0x82f63b78. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
