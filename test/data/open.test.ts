import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { decodeText, nearest, openChunks, ownText, peek, quote, type Source } from "../../src/data/open.ts";
import { inPieces, seeded } from "../fuzz/tables.ts";

vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const open = (path: string, flags: string) => {
    if (path.endsWith("secret.csv")) throw Object.assign(new Error("denied"), { code: "EACCES" });
    return fs.open(path, flags);
  };
  return { ...fs, open };
});

const encode = (text: string) => new TextEncoder().encode(text);
const TEXT = Array.from({ length: 20_000 }, (_, i) => `${(i * 7919) % 10_007},`).join("");
const GZ = new Uint8Array(gzipSync(TEXT));

async function read(source: Source): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of openChunks(source)) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

async function text(chunks: AsyncIterable<Uint8Array>, file = "x.csv"): Promise<string> {
  let out = "";
  for await (const piece of decodeText(chunks, { file })) out += piece;
  return out;
}

async function failure(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spinel-open-"));
  await writeFile(join(folder, "alloys.csv"), TEXT);
  await writeFile(join(folder, "steels.csv.gz"), GZ);
  await writeFile(join(folder, "misnamed.csv"), GZ);
  await mkdir(join(folder, "runs"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("openChunks", () => {
  test("reads paths, bytes, Blobs, Files and streams, inflating by content", async () => {
    for (const name of ["alloys.csv", "steels.csv.gz", "misnamed.csv"])
      expect(await read(join(folder, name))).toBe(TEXT);
    for (const bytes of [encode(TEXT), GZ]) {
      expect(await read(bytes)).toBe(TEXT);
      expect(await read(new Blob([bytes as BlobPart]))).toBe(TEXT);
      expect(await read(new Blob([bytes as BlobPart]).stream())).toBe(TEXT);
      expect(await read(inPieces(bytes, seeded(1)))).toBe(TEXT);
      expect(await read(inPieces(bytes.subarray(0, 1), seeded(1)))).toBe(
        new TextDecoder().decode(bytes.subarray(0, 1)),
      );
    }
    expect(await read(new Uint8Array(0))).toBe("");
    expect(await read(new Uint8Array(gzipSync("")))).toBe("");
  });

  test("says what is wrong with a path, and what was probably meant", async () => {
    const missing = await failure(read(join(folder, "aloys.csv")));
    expect(missing.message).toContain(`${join(folder, "aloys.csv")}: there is no such file.`);
    expect(missing.hint).toBe(`Did you mean ${join(folder, "alloys.csv")}?`);
    expect((await failure(read(join(folder, "steels.csv")))).hint).toContain("steels.csv.gz");
    expect((await failure(read(join(folder, "zzz")))).hint).toBeUndefined();
    expect((await failure(read(join(folder, "runns", "a.csv")))).hint).toBe(
      `${join(folder, "runns")} is not a folder.`,
    );
    expect((await failure(read(join(folder, "alloys.csv", "a.csv")))).hint).toContain("is not a folder");
    expect((await failure(read(folder))).message).toBe(
      `${folder} is a folder, not a file.\n  It holds alloys.csv, misnamed.csv, runs, steels.csv.gz`,
    );
    expect((await failure(read(join(folder, "runs")))).hint).toBe("It is empty.");
    expect((await failure(read(join(folder, "secret.csv")))).message).toContain("no permission to read it");
    expect((await failure(read("a\0b"))).message).toContain("cannot be read");
    expect((await failure(read("https://example.org/a.csv"))).message).toContain("is a URL");
  });

  test("a browser is told to pass a File", async () => {
    vi.stubGlobal("process", undefined);
    const error = await failure(read("alloys.csv")).finally(() => vi.unstubAllGlobals());
    expect(error.message).toContain("a browser cannot open paths");
  });

  test("gzip data cut anywhere or damaged is an error with the file's name", async () => {
    const path = join(folder, "cut.csv.gz");
    for (const cut of [1, 7, 8, 9, 100, GZ.length - 12, GZ.length - 2]) {
      await writeFile(path, GZ.subarray(0, GZ.length - cut));
      expect((await failure(read(path))).message).toContain(`${path}: the gzip data is cut short or damaged`);
    }
    for (const at of [GZ.length - 6, GZ.length >> 1, 2]) {
      const bad = GZ.slice();
      bad[at] ^= 0x55;
      expect((await failure(read(bad))).message).toContain("input: the gzip data is cut short or damaged");
    }
  });

  test("passes on the error of a stream, and closes it when reading stops early", async () => {
    async function* broken() {
      yield GZ.subarray(0, 1000);
      throw new Error("the network went away");
    }
    await expect(read(broken())).rejects.toThrow("the network went away");
    for (const bytes of [GZ, encode(TEXT)]) {
      const closed = new Promise<void>((resolve) => {
        async function* endless() {
          try {
            yield bytes.subarray(0, 5000);
            for (;;) yield bytes.subarray(5000, 5100);
          } finally {
            resolve();
          }
        }
        void (async () => {
          for await (const _ of openChunks(endless())) break;
        })();
      });
      await closed;
    }
  });

  test("peek gives the beginning and the whole", async () => {
    const bytes = encode("abcdefgh");
    for (const count of [0, 1, 3, 8, 20]) {
      const { head, chunks } = await peek(inPieces(bytes, seeded(count)), count);
      expect(head.length).toBeGreaterThanOrEqual(Math.min(count, 8));
      expect(await text(chunks)).toBe("abcdefgh");
    }
  });
});

describe("decodeText", () => {
  test("property: any text, cut anywhere, comes back without its byte order mark", async () => {
    const words = fc.string({ unit: "binary" }).map((s) => s.replaceAll("\0", ""));
    await fc.assert(
      fc.asyncProperty(words, fc.integer(), fc.boolean(), async (words, seed, mark) => {
        fc.pre(mark || !words.startsWith("\uFEFF"));
        expect(await text(inPieces(encode((mark ? "\uFEFF" : "") + words), seeded(seed)))).toBe(words);
      }),
      { seed: 1 },
    );
  });

  test("names file, line and byte of what is not UTF-8, wherever the pieces end", async () => {
    const latin1 = Uint8Array.from([...encode("a,b\r\nc,d\r\rcaf"), 0xe9, ...encode(",1\n")]);
    for (let seed = 0; seed < 20; seed++) {
      const error = await failure(text(inPieces(latin1, seeded(seed))));
      expect(error.message).toContain("x.csv:4: not UTF-8 text (byte 0xE9).");
      expect(error.hint).toContain("iconv -f WINDOWS-1252 -t UTF-8 x.csv");
    }
    const long = Uint8Array.from([...encode("é\n".repeat(200_000)), 0xff]);
    expect((await failure(text(inPieces(long, seeded(1))))).message).toContain("x.csv:200001:");
    for (const tail of [[0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98]]) {
      const cut = Uint8Array.from([...encode("a\nb"), ...tail]);
      expect((await failure(text(inPieces(cut, seeded(3))))).message).toContain("x.csv:2: not UTF-8");
    }
    for (const wrong of [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8, 0x88], [0x80]]) {
      const error = await failure(text(inPieces(Uint8Array.from([10, ...wrong, 65]), seeded(4))));
      expect(error.message).toContain("x.csv:2: not UTF-8");
    }
  });

  test("recognises what is no text at all", async () => {
    const hint = async (...bytes: number[]) => (await failure(text(inPieces(Uint8Array.from(bytes), seeded(5))))).hint;
    expect(await hint(0xff, 0xfe, 0x61, 0, 0x2c, 0)).toContain("iconv -f UTF-16");
    expect(await hint(0x61, 0, 0x2c, 0)).toContain("iconv -f UTF-16");
    expect(await hint(0x50, 0x4b, 3, 4, 0, 0xff)).toContain("Excel workbook");
    expect(await hint(0x50, 0x41, 0x52, 0x31, 0)).toContain("Parquet");
    expect(await hint(0x42, 0x5a, 0x68, 0x39, 0xff)).toContain("not by gzip");
    const nul = await failure(text(inPieces(encode("a\nb\nc\0d"), seeded(1))));
    expect(nul.message).toContain("x.csv:3: a NUL byte");
  });
});

test("nearest suggests what was probably meant, and nothing far-fetched", () => {
  const columns = ["formula", "gap expt", "band_gap", "Strength"];
  expect(nearest("strenght", columns)).toBe("Strength");
  expect(nearest("Formula", columns)).toBe("formula");
  expect(nearest("gap", columns)).toBe("gap expt");
  expect(nearest("bandgap", columns)).toBe("band_gap");
  expect(nearest("temperature", columns)).toBeUndefined();
  expect(nearest("x", [])).toBeUndefined();
});

test("quote stays on one short line; ownText keeps the text", () => {
  expect(quote("a\nb")).toBe('"a\\nb"');
  expect(quote("a".repeat(1000))).toBe(`"${"a".repeat(60)}…"`);
  for (const value of ["", "short", "a longer text \ud800 \u0000 \"'\\"]) expect(ownText(value)).toBe(value);
});
