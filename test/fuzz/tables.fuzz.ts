import { expect, test } from "vitest";
import { readJsonl } from "../../src/data/jsonl.ts";
import { readRows } from "../../src/data/table.ts";
import { fuzz, tableTrial } from "./tables.ts";

test("100,000 mutated tables: a table or a clear error, in time", async () => {
  const { accepted, rejected } = await fuzz(tableTrial, { seed: Number(process.env.SEED ?? 1), trials: 100_000 });
  expect(accepted).toBeGreaterThan(10_000);
  expect(rejected).toBeGreaterThan(10_000);
});

/** `megabytes` of lines made by `line`, and the most memory that the process used above its beginning, in MB. */
async function peakMemory(
  megabytes: number,
  line: (i: number) => string,
  read: (s: AsyncIterable<Uint8Array>) => Promise<void>,
) {
  let peak = 0;
  const begin = process.memoryUsage().rss;
  async function* stream() {
    const encoder = new TextEncoder();
    for (let i = 0, size = 0; size < megabytes * 2 ** 20; ) {
      let text = "";
      while (text.length < 2 ** 16) text += line(i++);
      size += text.length;
      peak = Math.max(peak, process.memoryUsage().rss - begin);
      yield encoder.encode(text);
    }
  }
  await read(stream());
  return peak / 2 ** 20;
}

test("200 MB of CSV stream in constant memory", async () => {
  let rows = 0;
  const line = (i: number) => (i === 0 ? "formula,x,note\n" : `Na${i}Cl,${i / 7},"a note, quoted, number ${i}"\n`);
  const peak = await peakMemory(200, line, async (stream) => {
    for await (const table of readRows(stream, { numeric: ["x"] })) rows += table.length;
  });
  expect(rows).toBeGreaterThan(3_000_000);
  expect(peak).toBeLessThan(150);
});

test("200 MB of JSON lines stream in constant memory", async () => {
  let rows = 0;
  const line = (i: number) => `{"formula":"Na${i}Cl","x":${i / 7},"note":"a note, number ${i}"}\n`;
  const peak = await peakMemory(200, line, async (stream) => {
    for await (const { value } of readJsonl(stream)) if (value.formula === `Na${rows}Cl`) rows++;
  });
  expect(rows).toBeGreaterThan(2_000_000);
  expect(peak).toBeLessThan(150);
});
