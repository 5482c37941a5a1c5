import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { writeAtomic } from "../../src/io/files.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  openSafetensors,
  safetensorsPieces,
  type TensorToStore,
  toFloat32,
} from "../../src/io/safetensors.ts";
import { fuzzSafetensors } from "../fuzz/safetensors.ts";

/** A file from a header's text and data, byte by byte as the format says, without the writer under test. */
function handMade(header: string, data: ArrayLike<number> = [], claimed = header.length): Uint8Array {
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(claimed), true);
  bytes.set(new TextEncoder().encode(header), 8);
  bytes.set(Array.from(data), 8 + header.length);
  return bytes;
}

const one = (dtype: string, shape: number[], data: ArrayLike<number>) =>
  decodeSafetensors(
    handMade(JSON.stringify({ x: { dtype, shape, data_offsets: [0, data.length] } }), data),
  ).tensors.get("x")!;

describe("reading hand-made bytes", () => {
  test("two tensors and metadata", () => {
    const header =
      '{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}   ';
    const { tensors, metadata } = decodeSafetensors(
      handMade(header, [254, 255, 255, 255, 0, 0, 128, 63, 0, 0, 0, 192]),
    );
    expect(metadata).toEqual({ format: "pt" });
    expect([...tensors.keys()]).toEqual(["a", "b"]);
    expect(tensors.get("a")).toEqual({ dtype: "I32", shape: [], data: Int32Array.of(-2) });
    expect(tensors.get("b")).toEqual({ dtype: "F32", shape: [2], data: Float32Array.of(1, -2) });
  });

  test("no tensors at all", () => {
    expect(decodeSafetensors(handMade("{}")).tensors.size).toBe(0);
  });

  test("every dtype", () => {
    expect(one("F64", [1], [0, 0, 0, 0, 0, 0, 0xf8, 0xbf]).data).toEqual(Float64Array.of(-1.5));
    expect(one("I64", [1], [255, 255, 255, 255, 255, 255, 255, 255]).data).toEqual(BigInt64Array.of(-1n));
    expect(one("U64", [1], [1, 0, 0, 0, 0, 0, 0, 128]).data).toEqual(BigUint64Array.of(0x8000000000000001n));
    expect(one("U32", [1], [255, 255, 255, 255]).data).toEqual(Uint32Array.of(4294967295));
    expect(one("I16", [2], [255, 255, 0, 128]).data).toEqual(Int16Array.of(-1, -32768));
    expect(one("U16", [1], [255, 255]).data).toEqual(Uint16Array.of(65535));
    expect(one("I8", [1], [128]).data).toEqual(Int8Array.of(-128));
    expect(one("U8", [3], [0, 1, 255]).data).toEqual(Uint8Array.of(0, 1, 255));
    expect(one("BOOL", [2], [0, 1]).data).toEqual(Uint8Array.of(0, 1));
    expect(one("BF16", [4], [0x80, 0x3f, 0x00, 0xc0, 0x80, 0xff, 0x49, 0x40]).data).toEqual(
      Float32Array.of(1, -2, -Infinity, 3.140625),
    );
  });

  test("all 65,536 values of F16", () => {
    const bytes = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
    const { data } = one("F16", [65536], bytes);
    for (let half = 0; half < 65536; half++) {
      const sign = half & 0x8000 ? -1 : 1;
      const exponent = (half >> 10) & 31;
      const mantissa = half & 1023;
      let expected = sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
      if (exponent === 0) expected = sign * mantissa * 2 ** -24;
      if (exponent === 31) expected = mantissa ? Number.NaN : sign * Infinity;
      if (!Object.is(data[half], expected)) expect.fail(`0x${half.toString(16)}: ${data[half]}, expected ${expected}`);
    }
  });

  test("toFloat32 converts every type, and copies nothing that is f32", () => {
    expect(toFloat32({ data: BigInt64Array.of(-3n, 7n) })).toEqual(Float32Array.of(-3, 7));
    expect(toFloat32({ data: Float64Array.of(0.1) })).toEqual(Float32Array.of(0.1));
    expect(toFloat32({ data: Uint8Array.of(1, 2) })).toEqual(Float32Array.of(1, 2));
    const data = Float32Array.of(1);
    expect(toFloat32({ data })).toBe(data);
  });
});

describe("writing", () => {
  const tensors: Record<string, TensorToStore> = {
    mask: { shape: [3], data: Uint8Array.of(1, 0, 1) },
    "a.weight": { shape: [2, 2], data: Float32Array.of(1, -0, Number.NaN, 1e-40) },
    "a.bias": { shape: [2], data: Float32Array.of(5, 6) },
    steps: { shape: [], data: BigInt64Array.of(12n) },
    none: { shape: [0, 7], data: new Float32Array(0) },
  };

  test("the bytes are those of the format", () => {
    const bytes = encodeSafetensors({ x: { shape: [1], data: Float32Array.of(1) } }, { k: "v" });
    const header = '{"__metadata__":{"k":"v"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expect(bytes).toEqual(handMade(header.padEnd(80), [0, 0, 128, 63]));
    expect(header.length).toBeLessThan(80);
  });

  test("comes back the same, aligned and in order, whatever the names", () => {
    const odd = { 'quote " \\ Ü\u0000': { shape: [1], data: Float32Array.of(9) }, ...tensors };
    const bytes = encodeSafetensors(odd, { ключ: '{"json": "in json"}' });
    const { tensors: read, metadata } = decodeSafetensors(bytes);
    expect(metadata).toEqual({ ключ: '{"json": "in json"}' });
    expect([...read.keys()]).toEqual(["steps", 'quote " \\ Ü\u0000', "a.weight", "a.bias", "none", "mask"]);
    for (const [name, { shape, data }] of Object.entries(odd)) {
      expect(read.get(name)?.shape).toEqual(shape);
      expect(read.get(name)?.data).toEqual(data);
      expect(read.get(name)?.data.buffer, `${name} is a view, not a copy`).toBe(bytes.buffer);
    }
  });

  test("unaligned input is read too", () => {
    const bytes = encodeSafetensors(tensors);
    const shifted = new Uint8Array(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    expect(decodeSafetensors(shifted).tensors.get("a.bias")?.data).toEqual(Float32Array.of(5, 6));
  });

  test("pieces share the tensors' memory", () => {
    const pieces = [...safetensorsPieces(tensors)];
    expect(pieces.length).toBe(6);
    expect(pieces.some((piece) => piece.buffer === tensors["a.weight"].data.buffer)).toBe(true);
  });

  test("refuses what cannot be read back", () => {
    const data = new Float32Array(3);
    expect(() => encodeSafetensors({ x: { shape: [2, 2], data } })).toThrow(
      'Tensor "x": shape [2, 2] has 4 elements, the data 3.',
    );
    expect(() => encodeSafetensors({ __metadata__: { shape: [3], data } })).toThrow(UserError);
  });
});

describe("openSafetensors", () => {
  let folder: string;
  let path: string;
  beforeAll(async () => {
    folder = fs.mkdtempSync(join(os.tmpdir(), "spinel-safetensors-"));
    path = join(folder, "model.safetensors");
    const a = { shape: [2], data: Float32Array.of(1, 2) };
    await writeAtomic(path, safetensorsPieces({ a, b: { shape: [1], data: Uint8Array.of(3) } }, { made: "here" }));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  test("reads the header, then single tensors", async () => {
    const file = await openSafetensors(path);
    expect(file.metadata).toEqual({ made: "here" });
    expect([...file.entries].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ["a", "F32", [2]],
      ["b", "U8", [1]],
    ]);
    expect((await file.read("b")).data).toEqual(Uint8Array.of(3));
    expect((await file.read("a")).data).toEqual(Float32Array.of(1, 2));
    await expect(file.read("c")).rejects.toThrow(`${path}: there is no tensor "c".\n  It has a, b.`);
    await file.close();
  });

  test("no file, a folder, a short file, one that shrinks", async () => {
    await expect(openSafetensors(join(folder, "none"))).rejects.toThrow("there is no such file");
    await expect(openSafetensors(folder)).rejects.toThrow("it is a folder");
    const short = join(folder, "short");
    fs.writeFileSync(short, "abc");
    await expect(openSafetensors(short)).rejects.toThrow("it has only 3 bytes");
    fs.copyFileSync(path, short);
    const file = await openSafetensors(short);
    fs.truncateSync(short, 20);
    await expect(file.read("a")).rejects.toThrow("the file became shorter while it was read");
    await file.close();
  });
});

describe("hostile files are refused, naming file and tensor", () => {
  const entry = (fields: object) =>
    JSON.stringify({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...fields } });
  const eight = new Uint8Array(8);
  test.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(), /it has only 0 bytes/],
    ["header longer than the file", handMade("{}", [], 3), /claims 3 bytes, the file has 10/],
    ["absurd header", handMade("{}", [], Number.MAX_SAFE_INTEGER), /claims 9007199254740991 bytes/],
    ["no JSON", handMade('{"w":'), /not JSON/],
    ["no UTF-8", handMade("{}").fill(0xff, 8), /not JSON/],
    ["a list", handMade("[]"), /not a JSON object/],
    ["space before", handMade(" {}"), /not a JSON object/],
    ["twice", handMade(`{"w":${entry({}).slice(5, -1)},"\\u0077":${entry({}).slice(5)}`, eight), /the key "w" twice/],
    ["field twice", handMade(entry({}).replace('"shape"', '"dtype":"F32","shape"'), eight), /the key "dtype" twice/],
    ["entry", handMade('{"w":3}'), /tensor "w" is not described by an object/],
    ["dtype", handMade(entry({ dtype: "F33" }), eight), /tensor "w" has dtype "F33"; readable are F64, F32/],
    ["dtype of the prototype", handMade(entry({ dtype: "constructor" }), eight), /has dtype "constructor"/],
    ["shape", handMade(entry({ shape: [-2] }), eight), /has shape \[-2\]/],
    ["fraction", handMade(entry({ shape: [2.5] }), eight), /has shape \[2.5\]/],
    ["overflow", handMade(entry({ shape: [2 ** 40, 2 ** 40] }), eight), /needs 4.835.*e\+24 bytes but has 8/],
    ["size", handMade(entry({ shape: [3] }), eight), /of type F32 and shape \[3\] needs 12 bytes but has 8/],
    ["offsets", handMade(entry({ data_offsets: [8, 0] }), eight), /has data_offsets \[8,0\]/],
    ["missing offsets", handMade(entry({ data_offsets: undefined }), eight), /has data_offsets missing/],
    ["field", handMade(entry({ extra: 1 }), eight), /has an unknown field "extra"/],
    ["cut off", handMade(entry({}), [0, 0]), /tensor "w" ends at byte \d+, the file at \d+: the file is cut off/],
    ["gap", handMade(entry({ data_offsets: [4, 12] }), new Uint8Array(12)), /a gap of 4 bytes before tensor "w"/],
    ["tail", handMade(entry({}), new Uint8Array(9)), /1 bytes at its end belong to no tensor/],
    [
      "overlap",
      handMade(
        '{"v":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"w":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}',
        eight,
      ),
      /tensor "w" overlaps the one before it/,
    ],
    ["metadata", handMade('{"__metadata__":{"a":1}}'), /__metadata__ "a" is not a text/],
    ["metadata list", handMade('{"__metadata__":[]}'), /__metadata__ is not an object/],
  ])("%s", (_name, bytes, message) => {
    const read = () => decodeSafetensors(bytes, { file: "bad.safetensors" });
    expect(read).toThrow(UserError);
    expect(read).toThrow(/^bad\.safetensors is not a valid safetensors file: /);
    expect(read).toThrow(message);
  });

  test("PyTorch's own format gets the way to convert it", () => {
    const zip = Uint8Array.from({ length: 64 }, (_, i) => [0x50, 0x4b, 3, 4, 20, 0][i] ?? 0);
    const read = () => decodeSafetensors(zip, { file: "net.pt" });
    expect(read).toThrow(/^net\.pt is a zip archive, as torch\.save writes it.*\n.*safetensors\.torch\.save_file/);
  });

  test("long strings and deep nesting in the header", () => {
    const long = decodeSafetensors(handMade(`{"__metadata__":{"k":"${'\\"'.repeat(1e6)}"}}`));
    expect(long.metadata.k.length).toBe(1e6);
    expect(() => decodeSafetensors(handMade(`{"w":${"[".repeat(1e6)}${"]".repeat(1e6)}}`))).toThrow(UserError);
  });

  test("2,000 damaged files", () => {
    const refused = fuzzSafetensors(2000, 1);
    expect(refused).toBeGreaterThan(1000);
    expect(refused).toBeLessThan(2000);
  });
});
