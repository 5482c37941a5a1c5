import { spawnSync } from "node:child_process";
import { promises as fs, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { type DownloadOptions, type DownloadProgress, download } from "../../src/data/download.ts";
import { type Answer, file, noise, send, serve, sha256, status } from "./server.ts";

const content = noise(300_000);
let folder: string;
let to: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spinel-download-"));
  to = join(folder, "data.bin");
  return () => rmSync(folder, { recursive: true });
});

const get = (url: string, options: Partial<DownloadOptions> = {}) =>
  download(url, { to, sha256: sha256(content), delay: 1, ...options });
const arrived = () => Buffer.compare(readFileSync(to), content) === 0;

/** The UserError that the download ends with; nothing may stand under the final name then. */
async function failure(downloading: Promise<void>): Promise<UserError> {
  const error = await downloading.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(readdirSync(folder)).not.toContain("data.bin");
  return error as UserError;
}

/** What a run that was killed after `size` bytes leaves. */
function leftover(url: string, size: number, { body = content, version = '"v1"' } = {}): void {
  writeFileSync(`${to}.part`, body.subarray(0, size));
  writeFileSync(`${to}.part.json`, JSON.stringify({ url, version }));
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  writeFileSync(`${to}.part.lock`, String(pid));
}

test("a file arrives whole, with its progress, and nothing else is left", async () => {
  const { url, requests } = await serve(file(content));
  const progress: DownloadProgress[] = [];
  to = join(folder, "new", "folder", "data.bin");
  await get(url, { onProgress: (p) => progress.push(p) });
  expect(arrived()).toBe(true);
  expect(readdirSync(join(folder, "new", "folder"))).toEqual(["data.bin"]);
  expect(requests).toHaveLength(1);
  expect(progress[0]).toEqual({ received: 0, total: 300_000, attempt: 1 });
  expect(progress.at(-1)).toEqual({ received: 300_000, total: 300_000, attempt: 1 });
  const received = progress.map((p) => p.received);
  expect(received).toEqual([...received].sort((a, b) => a - b));
});

test("an empty file, and a file without a checksum or a length", async () => {
  const empty = new Uint8Array(0);
  await get((await serve(file(empty))).url, { sha256: sha256(empty) });
  expect(readFileSync(to)).toHaveLength(0);
  const chunked = await serve((response) => response.write(content, () => response.end()));
  await get(chunked.url, { sha256: undefined });
  expect(arrived()).toBe(true);
});

test("a cut connection is resumed where it broke", async () => {
  const { url, requests } = await serve(file(content, { cut: 100_000 }), file(content, { cut: 50_000 }), file(content));
  const progress: DownloadProgress[] = [];
  await get(url, { onProgress: (p) => progress.push(p) });
  expect(arrived()).toBe(true);
  expect(requests.map((h) => h.range)).toEqual([undefined, "bytes=100000-", "bytes=150000-"]);
  expect(requests.map((h) => h["if-range"])).toEqual([undefined, '"v1"', '"v1"']);
  expect(progress.at(-1)).toEqual({ received: 300_000, total: 300_000, attempt: 3 });
  expect(readdirSync(folder)).toEqual(["data.bin"]);
});

test("cut more often than retried: says so, keeps what came, and the next runs go on from there", async () => {
  const server = await serve(file(content, { cut: 40_000 }));
  const first = await failure(get(server.url, { retries: 1 }));
  expect(first.message).toMatch(/was interrupted 2 times: /);
  expect(first.hint).toBe("80.0 kB are kept: running the same again continues from there.");
  const second = await failure(get(server.url, { retries: 0 }));
  expect(second.hint).toMatch(/120\.0 kB are kept/);
  server.answers = [file(content)];
  await get(server.url);
  expect(arrived()).toBe(true);
  expect(server.requests.map((h) => h.range ?? "all")).toEqual([
    "all",
    "bytes=40000-",
    "bytes=80000-",
    "bytes=120000-",
  ]);
});

test("what a killed run left is continued, its lock taken over", async () => {
  const { url, requests } = await serve(file(content));
  leftover(url, 123_456);
  await get(url);
  expect(arrived()).toBe(true);
  expect(requests.map((h) => h.range)).toEqual(["bytes=123456-"]);
});

test("a run killed after the last byte needs no byte more", async () => {
  const { url, requests } = await serve(file(content));
  leftover(url, content.length);
  await get(url);
  expect(arrived()).toBe(true);
  expect(requests).toHaveLength(1);
});

test.each<[string, (url: string) => void]>([
  ["of another address", () => leftover("http://127.0.0.1/other", 1000, { body: noise(1000, 7) })],
  [
    "with a note that was half written",
    (url) => {
      leftover(url, 1000);
      writeFileSync(`${to}.part.json`, '{"url": "htt');
    },
  ],
  [
    "without a note",
    (url) => {
      leftover(url, 1000);
      rmSync(`${to}.part.json`);
    },
  ],
])("a beginning %s is not continued", async (_, leave) => {
  const { url, requests } = await serve(file(content));
  leave(url);
  await get(url);
  expect(arrived()).toBe(true);
  expect(requests.map((h) => h.range)).toEqual([undefined]);
});

test("resume: false starts again", async () => {
  const { url, requests } = await serve(file(content));
  leftover(url, 1000);
  await get(url, { resume: false });
  expect(requests.map((h) => h.range)).toEqual([undefined]);
});

test("a server that ignores the range sends the whole file again", async () => {
  const whole: Answer = (response) => send(response.writeHead(200, { etag: '"v1"' }), content);
  const { url, requests } = await serve(file(content, { cut: 100_000 }), whole);
  await get(url);
  expect(arrived()).toBe(true);
  expect(requests[1].range).toBe("bytes=100000-");
});

test("a server that sends another range than asked for, or cannot, is asked for everything", async () => {
  const shifted: Answer = (response) =>
    send(response.writeHead(206, { "content-range": "bytes 0-9/300000" }), content.subarray(0, 10));
  const { url, requests } = await serve(
    file(content, { cut: 100_000 }),
    shifted,
    file(content, { cut: 100_000 }),
    status(416),
    file(content),
  );
  await get(url);
  expect(arrived()).toBe(true);
  expect(requests.map((h) => h.range !== undefined)).toEqual([false, true, false, true, false]);
});

test("content that changed at the source meanwhile is fetched anew, not mixed", async () => {
  const { url } = await serve(file(noise(300_000, 5), { etag: '"v0"', cut: 100_000 }), file(content));
  await get(url);
  expect(arrived()).toBe(true);
});

test("without ETag and date nothing is resumed", async () => {
  const bare =
    (cut?: number): Answer =>
    (response) =>
      send(response.writeHead(200, { "content-length": content.length }), content, cut);
  const { url, requests } = await serve(bare(100_000), bare(100_000), bare());
  const error = await failure(get(url, { retries: 0 }));
  expect(error.hint).toBe("Check the connection, then run the same again.");
  expect(readdirSync(folder)).toEqual([]);
  await get(url);
  expect(arrived()).toBe(true);
  expect(requests.map((h) => h.range)).toEqual([undefined, undefined, undefined]);
});

test("Last-Modified serves where there is no strong ETag", async () => {
  const date = "Thu, 01 Jan 2026 00:00:00 GMT";
  const dated: Answer = (response) =>
    send(
      response.writeHead(200, { etag: 'W/"v1"', "last-modified": date, "content-length": content.length }),
      content,
      100_000,
    );
  const { url, requests } = await serve(dated, file(content, { etag: date }));
  await get(url);
  expect(arrived()).toBe(true);
  expect(requests[1]).toMatchObject({ range: "bytes=100000-", "if-range": date });
});

test("a transfer that the server compresses on its own", async () => {
  const packed = gzipSync(content);
  const { url } = await serve((response) =>
    send(
      response.writeHead(200, { etag: '"v1"', "content-encoding": "gzip", "content-length": packed.length }),
      packed,
    ),
  );
  await get(url);
  expect(arrived()).toBe(true);
});

test("a wrong checksum names both and removes what came", async () => {
  const other = noise(1000, 9);
  const { url, requests } = await serve(file(other));
  const error = await failure(get(url));
  expect(error.message).toContain(`expected sha256 ${sha256(content)}, got ${sha256(other)}`);
  expect(requests).toHaveLength(1);
  expect(readdirSync(folder)).toEqual([]);
});

test("a spoilt beginning of an earlier run is replaced without a word", async () => {
  const { url, requests } = await serve(file(content));
  leftover(url, 1000, { body: noise(1000, 3) });
  await get(url);
  expect(arrived()).toBe(true);
  expect(requests.map((h) => h.range)).toEqual(["bytes=1000-", undefined]);
});

test.each([
  [404, "404 Not Found", "not, or no longer, at this address"],
  [403, "403 Forbidden", "does not hand out this file"],
])("%i is final", async (code, text, hint) => {
  const { url, requests } = await serve(status(code));
  const error = await failure(get(url));
  expect(error.message).toContain(`${url}: the server answered ${text}.`);
  expect(error.hint).toContain(hint);
  expect(requests).toHaveLength(1);
  expect(readdirSync(folder)).toEqual([]);
});

test.each([429, 500, 503])("%i is tried again, and reported when it stays", async (code) => {
  const server = await serve(status(code));
  const error = await failure(get(server.url, { retries: 2 }));
  expect(error.message).toMatch(new RegExp(`interrupted 3 times: the server answered ${code}`));
  expect(server.requests).toHaveLength(3);
  server.answers = [status(code), file(content)];
  await get(server.url);
  expect(arrived()).toBe(true);
});

test("a server that is not there", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const error = await failure(get(`http://127.0.0.1:${port}/x`, { retries: 1 }));
  expect(error.message).toMatch(/interrupted 2 times: .*ECONNREFUSED/);
  expect(error.hint).toMatch(/Check the connection/);
});

test("a host that does not exist", async () => {
  const error = await failure(get("http://spinel.invalid/x", { retries: 0 }));
  expect(error.message).toMatch(/the host was not found/);
});

test("a connection that goes silent, before or amid the file, counts as cut", async () => {
  const mute: Answer = () => {};
  const silent: Answer = (response) =>
    response.writeHead(200, { etag: '"v1"', "content-length": content.length }).write(content.subarray(0, 1000));
  const server = await serve(mute);
  const error = await failure(get(server.url, { retries: 0, timeout: 50 }));
  expect(error.message).toMatch(/interrupted: nothing arrived for 0\.05 s/);
  server.answers = [silent, file(content)];
  await get(server.url, { timeout: 1000 });
  expect(arrived()).toBe(true);
  expect(server.requests.map((h) => h.range)).toEqual([undefined, undefined, "bytes=1000-"]);
});

test("an abort, during transfer or pause, rejects with its reason and keeps what came", async () => {
  const slow: Answer = (response) =>
    response.writeHead(200, { etag: '"v1"', "content-length": content.length }).write(content.subarray(0, 1000));
  const server = await serve(slow);
  const during = new AbortController();
  const aborted = get(server.url, {
    signal: during.signal,
    onProgress: ({ received }) => received > 0 && during.abort(new Error("stopped by hand")),
  });
  await expect(aborted).rejects.toThrow("stopped by hand");
  server.answers = [file(content, { cut: 500 })];
  const pause = new AbortController();
  const pausing = get(server.url, { signal: pause.signal, delay: 60_000 });
  setTimeout(() => pause.abort(new Error("stopped in the pause")), 500);
  await expect(pausing).rejects.toThrow("stopped in the pause");
  await expect(get(server.url, { signal: pause.signal })).rejects.toThrow("stopped in the pause");
  server.answers = [file(content)];
  await get(server.url);
  expect(arrived()).toBe(true);
  expect(server.requests.map((h) => h.range)).toEqual([undefined, "bytes=1000-", "bytes=1500-"]);
});

test("a full disk: told before, where the size is known", async () => {
  vi.spyOn(fs, "statfs").mockResolvedValue({ bavail: 25, bsize: 4096 } as Awaited<ReturnType<typeof fs.statfs>>);
  onTestFinished(() => void vi.restoreAllMocks());
  const error = await failure(get((await serve(file(content))).url));
  expect(error.message).toBe(`The disk is full: ${to} needs 300.0 kB more, 102.4 kB are free.\n  ${error.hint}`);
  expect(readdirSync(folder)).toEqual([]);
});

test("a full disk: met while writing, and continued once there is room", async () => {
  const handle = await fs.open(join(folder, "any"), "w");
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  rmSync(join(folder, "any"));
  const write: (bytes: Uint8Array, from: number, length: number) => unknown = prototype.write;
  let room = 100_000;
  const limited = async function (this: typeof handle, bytes: Buffer, from: number) {
    if (room === 0) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    const fits = Math.min(room, bytes.length - from);
    room -= fits;
    return write.call(this, bytes, from, fits);
  };
  vi.spyOn(prototype, "write").mockImplementation(limited as unknown as typeof prototype.write);
  onTestFinished(() => void vi.restoreAllMocks());
  const server = await serve(file(content));
  const error = await failure(get(server.url));
  expect(error.message).toMatch(/The disk is full: .*data\.bin needs 200\.0 kB more, [\d.]+ [kMG]B are free\./);
  expect(error.hint).toContain("Running the same again continues at 100.0 kB.");
  expect(server.requests).toHaveLength(1);
  vi.restoreAllMocks();
  await get(server.url);
  expect(arrived()).toBe(true);
  expect(server.requests[1].range).toBe("bytes=100000-");
});

test("two processes do not write the same file", async () => {
  const { url, requests } = await serve(file(content));
  writeFileSync(`${to}.part.lock`, String(process.ppid));
  const error = await failure(get(url));
  expect(error.message).toContain(`data.bin is being downloaded by process ${process.ppid} already.`);
  expect(requests).toHaveLength(0);
  expect(readdirSync(folder)).toEqual(["data.bin.part.lock"]);
});

test.each([
  ["of a dead process with our number", String(process.pid)],
  ["that its process died over", ""],
])("nor does one process twice at once; a lock %s does not count", async (_, lock) => {
  const { url, requests } = await serve(file(content));
  writeFileSync(`${to}.part.lock`, lock);
  const results = await Promise.allSettled([get(url), get(url)]);
  expect(results.map((r) => r.status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(requests).toHaveLength(1);
  expect(arrived()).toBe(true);
  expect(readdirSync(folder)).toEqual(["data.bin"]);
});

test("a folder that cannot be made", async () => {
  writeFileSync(join(folder, "taken"), "");
  const error = await failure(get((await serve(file(content))).url, { to: join(folder, "taken", "data.bin") }));
  expect(error.message).toMatch(/Cannot write .*taken/);
});

test.each(["", "data.csv", "ftp://example.org/x", "file:///etc/passwd"])("%j is no address", async (url) => {
  const error = await failure(get(url));
  expect(error.message).toContain(`${JSON.stringify(url)} is not an address to download from.`);
  expect(readdirSync(folder)).toEqual([]);
});

test("an error of the caller's own progress function is neither hidden nor retried", async () => {
  const { url, requests } = await serve(file(content));
  const broken = () => {
    throw new RangeError("mine");
  };
  await expect(get(url, { onProgress: broken })).rejects.toThrow(RangeError);
  expect(requests).toHaveLength(1);
});
