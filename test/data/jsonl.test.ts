import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { type JsonRow, readJsonCells, readJsonl } from "../../src/data/jsonl.ts";
import { inPieces, mutate, seeded } from "../fuzz/tables.ts";

const encode = (text: string) => new TextEncoder().encode(text);

async function rows(text: string | Uint8Array, seed = 1): Promise<JsonRow[]> {
  const out: JsonRow[] = [];
  const bytes = typeof text === "string" ? encode(text) : text;
  for await (const row of readJsonl(inPieces(bytes, seeded(seed)), { file: "x.jsonl" })) out.push(row);
  return out;
}

async function failure(text: string): Promise<UserError> {
  const error = await rows(text).catch((reason) => reason);
  expect(error).toBeInstanceOf(UserError);
  return error;
}

describe("records", () => {
  test("lines, with blank ones skipped and the last one open", async () => {
    const expected = [
      { line: 2, value: { formula: "NaN", gap: 1.5 } },
      { line: 4, value: { formula: "H₂O", text: 'a "b"\n' } },
    ];
    expect(await rows('\n{"formula":"NaN","gap":1.5}\r\n  \n {"formula":"H₂O","text":"a \\"b\\"\\n"}')).toEqual(
      expected,
    );
    expect(await rows("")).toEqual([]);
    expect(await rows("\uFEFF \n\n")).toEqual([]);
  });

  test("one array of objects, however it is laid out", async () => {
    expect(await rows('\n [\n {"a": [1, "],}"], "b": {"c": []}},\n\n  {"a":\n 2} ]\n')).toEqual([
      { line: 3, value: { a: [1, "],}"], b: { c: [] } } },
      { line: 5, value: { a: 2 } },
    ]);
    expect(await rows("[ ]")).toEqual([]);
  });

  test("fields named like parts of an object are ordinary fields", async () => {
    const [{ value }] = await rows('{"__proto__": 1, "toString": 2}');
    expect(Object.entries(value)).toEqual([
      ["__proto__", 1],
      ["toString", 2],
    ]);
  });
});

describe("errors name file, line, column and text", () => {
  test.each([
    ['{"a":1}\n{"a":NaN}', 'x.jsonl:2:6: not JSON: a value is expected at "NaN}".', "write null"],
    ['{"a":-Infinity}', "x.jsonl:1:6: not JSON: a value is expected", "write null"],
    ['{"a":1}\n{"a" 2}', 'x.jsonl:2:6: not JSON: ":" is expected at "2}".', undefined],
    ['{"a":1 "b":2}', 'x.jsonl:1:8: not JSON: "," or "}" is expected at "\\"b\\":2}".', undefined],
    ["{'a':1}", 'x.jsonl:1:2: not JSON: a name in double quotes (") is expected', undefined],
    ['{"a":1,}', 'x.jsonl:1:8: not JSON: a name in double quotes (") is expected at "}".', undefined],
    ['{"a":[1,]}', 'x.jsonl:1:9: not JSON: a value is expected at "]}".', undefined],
    ['{"a":[1}', 'x.jsonl:1:8: not JSON: "," or "]" is expected at "}".', undefined],
    ['{"a":01}', 'x.jsonl:1:6: not JSON: a value is expected at "01}".', undefined],
    ['{"a":tru}', "x.jsonl:1:6: not JSON: a value is expected", undefined],
    ['{"a":"\\x"}', "x.jsonl:1:7: not JSON: a character that must be escaped at", undefined],
    ['{"a":"b\tc"}', "x.jsonl:1:8: not JSON: a character that must be escaped at", undefined],
    ['{"a":"b', "x.jsonl:1:8: not JSON: an open quote at the end of the record.", undefined],
    ['{\n  "a": 1\n}\n', 'x.jsonl:1:2: not JSON: "}" is missing at the end of the record.', "on one line"],
    ['{"a":1} {"a":2}', "x.jsonl:1:9: not JSON: the record goes on after its end at", "one object per line"],
    ['{"a":1}\n7', 'x.jsonl:2:1: a number where an object is expected: "7".', "one object"],
    ['{"a":1}\n  null', "x.jsonl:2:3: null where an object is expected", "one object"],
    ['{"a":1}\n[2]', "x.jsonl:2:1: an array where an object is expected", "one object"],
    ['[{"a":1},\n {"a":\n  x}]', 'x.jsonl:3:3: not JSON: a value is expected at "x}".', undefined],
    ['[{"a":1}, 5]', "x.jsonl:1:11: a number where an object is expected", "one object"],
    ['[{"a":1},\n]', 'x.jsonl:2:1: an object is expected before "]".', undefined],
    ['[,{"a":1}]', 'x.jsonl:1:2: an object is expected before ",".', undefined],
    ['[{"a":1}}]', 'x.jsonl:1:9: "}" closes nothing.', undefined],
    ['[{"a":1}] x', 'x.jsonl:1:11: "x" follows the end of the JSON array.', undefined],
    ['[{"a":1},\n{"a":', "x.jsonl:2:6: the file ends inside its JSON array.", "cut short"],
  ])("%j", async (text, message, hint) => {
    const error = await failure(text);
    expect(error.message).toContain(message);
    if (hint) expect(error.hint).toContain(hint);
    else expect(error.hint).toBeUndefined();
  });

  test("deep nesting and records without end are errors or values, never a crash", async () => {
    const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(await rows(deep)).toHaveLength(1);
    expect((await failure(deep.slice(0, -2))).message).toContain('"]" is missing');
    async function* endless() {
      for (let piece = encode('{"a":"'); ; piece = encode("x".repeat(2 ** 20))) yield piece;
    }
    const read = async () => {
      for await (const _ of readJsonl(endless(), { file: "x.jsonl" }));
    };
    await expect(read()).rejects.toThrow("x.jsonl:1: a record longer than 64 MB");
  });
});

describe("properties", () => {
  const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)));
  const objects = fc.array(fc.dictionary(fc.string(), json), { maxLength: 6 });

  test("what JSON.stringify writes is read back, as lines and as an array", async () => {
    await fc.assert(
      fc.asyncProperty(
        objects,
        fc.constantFrom(0, 2),
        fc.constantFrom("\n", "\r\n"),
        fc.integer(),
        async (objects, indent, end, seed) => {
          const values = objects.map((object) => JSON.parse(JSON.stringify(object)));
          const lines = values.map((value) => JSON.stringify(value)).join(end);
          expect(await rows(lines, seed)).toEqual(values.map((value, i) => ({ line: i + 1, value })));
          const array = JSON.stringify(values, undefined, indent);
          expect((await rows(array, seed)).map(({ value }) => value)).toEqual(values);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  test("a damaged line is accepted exactly where JSON.parse accepts it as an object, and the error lies within it", async () => {
    let rejected = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ maxLength: 4 }), json, { minKeys: 1 }),
        fc.integer(),
        async (object, seed) => {
          const whole = encode(JSON.stringify(object));
          const bytes = mutate(whole, [whole], seeded(seed));
          let line: string;
          try {
            line = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
          } catch {
            return;
          }
          fc.pre(!/[\n\0]/.test(line) && !/^\s*(\[|$)/.test(line));
          let expected: unknown;
          try {
            expected = JSON.parse(line);
          } catch {}
          const result = await rows(`{}\n${line}`, seed).catch((error) => error);
          if (typeof expected === "object" && expected !== null)
            expect(result[1]).toEqual({ line: 2, value: expected });
          else {
            expect(result).toBeInstanceOf(UserError);
            const [, column] = /^x\.jsonl:2:(\d+): /.exec(result.message) ?? [];
            expect(Number(column)).toBeGreaterThanOrEqual(1);
            expect(Number(column)).toBeLessThanOrEqual(line.length + 1);
            rejected++;
          }
        },
      ),
      { seed: 2, numRuns: 1000 },
    );
    expect(rejected).toBeGreaterThan(100);
  });

  test("any bytes: objects or a UserError", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.string({ unit: fc.constantFrom(...'{}[]",:\\\n 1ae') }).map(encode),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer(), async (bytes, seed) => {
        const result = await rows(bytes, seed).catch((error) => error);
        if (result instanceof Error) expect(result).toBeInstanceOf(UserError);
      }),
      { seed: 3, numRuns: 1000 },
    );
  });
});

test("records come before the file is read to its end, from lines and from an array", async () => {
  for (const [begin, line] of [
    ["", '{"a":1}\n{"a":2}\n'],
    ["[", '{"a":1},{"a":2},'],
  ]) {
    let pulled = 0;
    async function* endless() {
      yield encode(begin + line);
      for (; ; pulled++) yield encode(line);
    }
    let read = 0;
    for await (const _ of readJsonl(endless())) if (++read === 100) break;
    expect(pulled).toBeLessThanOrEqual(51);
  }
});

test("readJsonCells: the first record's fields are the columns", async () => {
  const text = '{"a":1,"b":"x"}\n{"b":null}\n{"b":2,"c":[3],"toString":4}\n';
  const read = async (closed: boolean) => {
    const out: unknown[] = [];
    for await (const row of readJsonCells(inPieces(encode(text), seeded(1)), { file: "x.jsonl", closed }))
      out.push(row);
    return out;
  };
  expect(await read(false)).toEqual([
    { line: 1, cells: ["a", "b"] },
    { line: 1, cells: [1, "x"] },
    { line: 2, cells: [undefined, null] },
    { line: 3, cells: [undefined, 2] },
  ]);
  await expect(read(true)).rejects.toThrow('x.jsonl:3: the first record has no field "c".');
});
