import { inflateSync } from "fflate";
import { UserError } from "../core/errors.ts";
import { quote } from "./open.ts";

/** A file in an archive. Its bytes are unpacked anew at each call, and checked against their CRC-32. */
export interface ZipEntry {
  readonly name: string;
  /** Unpacked, bytes. */
  readonly size: number;
  bytes(): Uint8Array;
}

/** Unpacked bytes: of one file, and of all together. Either bounds what a malicious archive can take. */
export const ZIP_LIMITS = { entry: 2 ** 28, total: 2 ** 31 };

/**
 * The files of a zip archive in its own order, without folders. What it says of sizes is checked before anything is unpacked, and
 * no file can unpack to more than it says. Zip64 archives below 4 GB are read.
 *
 * @throws UserError for what is no archive, is cut short, damaged, encrypted or larger than `limits` when unpacked
 */
export function readZip(data: Uint8Array, { file = "archive", limits = ZIP_LIMITS } = {}): ZipEntry[] {
  const damaged = (why: string) =>
    new UserError(
      `${file}: the zip archive is cut short or damaged (${why}).`,
      "Copy it again, or unpack it and give the folder.",
    );
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const u16 = (at: number) => view.getUint16(at, true);
  const u32 = (at: number) => view.getUint32(at, true);
  try {
    const end = findEnd();
    let [count, at] = [u16(end + 10), u32(end + 16)];
    if (count === 0xffff || at === 0xffffffff) {
      const record = Number(view.getBigUint64(end - 20 + 8, true));
      if (u32(end - 20) !== ZIP64_LOCATOR || u32(record) !== ZIP64_END) throw damaged("no directory");
      [count, at] = [32, 48].map((offset) => Number(view.getBigUint64(record + offset, true)));
    }
    const entries: ZipEntry[] = [];
    for (let total = 0; count > 0; count--) {
      if (u32(at) !== DIRECTORY) throw damaged("no directory entry where one should be");
      const [flags, method, crc, packed, size] = [u16(at + 8), u16(at + 10), u32(at + 16), u32(at + 20), u32(at + 24)];
      const [nameLength, extra, comment, local] = [u16(at + 28), u16(at + 30), u16(at + 32), u32(at + 42)];
      const name = decodeName(data.subarray(at + 46, at + 46 + nameLength), (flags & 0x800) !== 0);
      at += 46 + nameLength + extra + comment;
      if (name.endsWith("/")) continue;
      if (size > limits.entry)
        throw new UserError(
          `${file}: ${quote(name)} unpacks to ${megabytes(size)}; more than ${megabytes(limits.entry)} are not read.`,
        );
      if ((total += size) > limits.total)
        throw new UserError(
          `${file} unpacks to more than ${megabytes(limits.total)}.`,
          "Unpack it and give the folder.",
        );
      entries.push({ name, size, bytes: () => unpack({ name, flags, method, crc, packed, size, local }) });
    }
    return entries;
  } catch (error) {
    throw error instanceof RangeError ? damaged("its directory points outside") : error;
  }

  /** The last record of the file, which only a comment may follow. */
  function findEnd(): number {
    for (let at = data.length - 22; at >= Math.max(0, data.length - 22 - 0xffff); at--)
      if (u32(at) === END && at + 22 + u16(at + 20) === data.length) return at;
    throw damaged("its end is missing");
  }

  function unpack({ name, flags, method, crc, packed, size, local }: Packed): Uint8Array {
    const where = `${file}: ${quote(name)}`;
    if (flags & 1)
      throw new UserError(`${where} is encrypted.`, "Unpack the archive with its password and give the folder.");
    if (method !== 0 && method !== 8)
      throw new UserError(
        `${where} is packed by method ${method}, not by deflate.`,
        "Unpack the archive and give the folder.",
      );
    const wrong = damaged(`in ${quote(name)}`);
    // Deflate never shrinks by more than 1032 : 1, so a larger size is false, and nothing is set aside for it.
    if (local + 30 > data.length || u32(local) !== LOCAL || size > 1032 * packed + 64) throw wrong;
    const begin = local + 30 + u16(local + 26) + u16(local + 28);
    const content = data.subarray(begin, begin + packed);
    let out: Uint8Array;
    try {
      out = method === 0 ? content : inflateSync(content, { out: new Uint8Array(size) });
    } catch {
      throw wrong;
    }
    if (out.length !== size || crc32(out) !== crc) throw wrong;
    return out;
  }
}

interface Packed {
  name: string;
  flags: number;
  method: number;
  crc: number;
  packed: number;
  size: number;
  /** Where its own header begins. */
  local: number;
}

/** Whether bytes begin as a zip archive does; also an empty one. */
export const isZip = (head: Uint8Array): boolean =>
  head[0] === 0x50 && head[1] === 0x4b && ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6));

const END = 0x06054b50;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_END = 0x06064b50;
const DIRECTORY = 0x02014b50;
const LOCAL = 0x04034b50;

const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;

/** Archives of old do not say how names are encoded. */
function decodeName(bytes: Uint8Array, utf8: boolean): string {
  try {
    return new TextDecoder("utf-8", { fatal: !utf8 }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let c = -1;
  for (let i = 0; i < bytes.length; i++) c = CRC_TABLE[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}
