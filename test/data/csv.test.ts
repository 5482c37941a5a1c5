import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { type CsvOptions, type CsvRow, isMissing, label, parseNumber, readCsvRows } from "../../src/data/csv.ts";
import { inPieces, seeded } from "../fuzz/tables.ts";

const encode = (text: string) => new TextEncoder().encode(text);

async function rows(text: string | Uint8Array, options: CsvOptions = {}, seed = 1): Promise<CsvRow[]> {
  const out: CsvRow[] = [];
  const bytes = typeof text === "string" ? encode(text) : text;
  for await (const row of readCsvRows(inPieces(bytes, seeded(seed)), { file: "x.csv", ...options })) out.push(row);
  return out;
}

const cells = async (text: string, options: CsvOptions = {}) => (await rows(text, options)).map((row) => row.cells);

async function failure(text: string, options: CsvOptions = {}): Promise<UserError> {
  const error = await rows(text, options).catch((reason) => reason);
  expect(error).toBeInstanceOf(UserError);
  return error;
}

describe("records", () => {
  test("RFC 4180 by example", async () => {
    expect(await rows('id,note\n1,"a, b"\r\n2,"say ""hi"""\r3,"two\r\nlines"\n4,\n')).toEqual([
      { line: 1, cells: ["id", "note"] },
      { line: 2, cells: ["1", "a, b"] },
      { line: 3, cells: ["2", 'say "hi"'] },
      { line: 4, cells: ["3", "two\r\nlines"] },
      { line: 6, cells: ["4", ""] },
    ]);
  });

  test("the last line needs no line end, blank lines are skipped, a quoted empty cell is not blank", async () => {
    expect(await rows('\n  \na\n\nb\n""\n   \nc')).toEqual([
      { line: 3, cells: ["a"] },
      { line: 5, cells: ["b"] },
      { line: 6, cells: [""] },
      { line: 8, cells: ["c"] },
    ]);
    expect(await rows("")).toEqual([]);
    expect(await rows("\uFEFF\n\n")).toEqual([]);
    expect(await cells("a,b\n1,")).toEqual([
      ["a", "b"],
      ["1", ""],
    ]);
    expect(await cells('a,b\n1,""')).toEqual([
      ["a", "b"],
      ["1", ""],
    ]);
    expect(await cells("a,b\n,\n")).toEqual([
      ["a", "b"],
      ["", ""],
    ]);
  });

  test("a quote inside an unquoted cell is an ordinary character", async () => {
    expect(await cells('size,x\n5" pipe,1\n6"",2\n')).toEqual([
      ["size", "x"],
      ['5" pipe', "1"],
      ['6""', "2"],
    ]);
  });

  test("the delimiter is the one that the header has most of, outside quotes", async () => {
    expect(await cells("gap (eV, PBE);id;x\n1,5;2;3\n")).toEqual([
      ["gap (eV, PBE)", "id", "x"],
      ["1,5", "2", "3"],
    ]);
    const tie = await failure("gap (eV, PBE);id\n1,5;2\n");
    expect(tie.message).toContain('x.csv: the header has as many "," as ";": which is the delimiter?');
    expect(await cells('"a;b;c",d\n1,2\n')).toEqual([
      ["a;b;c", "d"],
      ["1", "2"],
    ]);
    expect(await cells('"say ""a;b;c""",d\n1,2\n')).toEqual([
      ['say "a;b;c"', "d"],
      ["1", "2"],
    ]);
    expect(await cells("a\tb\tc\n1\t2\t3\n")).toEqual([
      ["a", "b", "c"],
      ["1", "2", "3"],
    ]);
    expect(await cells("a|b\n1|2\n")).toEqual([
      ["a", "b"],
      ["1", "2"],
    ]);
    expect(await cells('5" pipe;x\n1;2\n')).toEqual([
      ['5" pipe', "x"],
      ["1", "2"],
    ]);
    expect(await cells("formula\nNaN\n")).toEqual([["formula"], ["NaN"]]);
  });

  test("a delimiter can be given", async () => {
    expect(await cells("a:b\n1:2\n", { delimiter: ":" })).toEqual([
      ["a", "b"],
      ["1", "2"],
    ]);
    expect(await cells("a,b\tc\n1,2\t3\n", { delimiter: "tab" })).toEqual([
      ["a,b", "c"],
      ["1,2", "3"],
    ]);
    expect(await cells("a\tb\n", { delimiter: "\\t" })).toEqual([["a", "b"]]);
    for (const delimiter of ["", ",,", '"', "\n"]) {
      expect((await failure("a,b\n", { delimiter })).message).toContain(`delimiter ${JSON.stringify(delimiter)}`);
    }
  });
});

describe("errors name file and line", () => {
  test("too few and too many cells", async () => {
    const few = await failure('id,formula,gap\n1,"a\nb",2\n2,NaCl\n');
    expect(few.message).toContain('x.csv:4: 2 cells where the header has 3 ("id", "formula", "gap").');
    expect(few.hint).toContain('the delimiter "," must stand in double quotes');
    expect((await failure("id,gap\n1,2,3,4\n")).message).toContain("x.csv:2: 4 cells where the header has 2");
    expect((await failure("id,gap\n1\n")).message).toContain("x.csv:2: 1 cell where the header has 2");
    expect((await failure('a,b\n1, "x, y"\n')).hint).toContain("remove the spaces before it");
  });

  test("quotes that are not closed, or closed too early", async () => {
    const open = await failure('a,b\n1,2\n3,"never\nclosed\n5,6\n');
    expect(open.message).toContain("x.csv:3: the quote that opens cell 2 is never closed.");
    expect(open.hint).toContain("written twice");
    const early = await failure('a,b\n"5" pipe,2\n');
    expect(early.message).toContain('x.csv:2: " " follows the closing quote of cell 1, which begins "5".');
  });

  test("a cell above 10 MB is what an unclosed quote looks like", async () => {
    async function* endless(begin: string, text: string) {
      yield encode(begin);
      for (const piece = encode(text.repeat(2 ** 16)); ; ) yield piece;
    }
    const read = async (begin: string, text: string) => {
      for await (const _ of readCsvRows(endless(begin, text), { file: "x.csv" }));
    };
    await expect(read('a,b\n1,"', "x,y\n")).rejects.toThrow("x.csv:2: cell 2 is longer than 10 MB");
    await expect(read("a,b\n1,", "xyz ")).rejects.toThrow("x.csv:2: cell 2 is longer than 10 MB");
    await expect(read("a,b", "xyz ")).rejects.toThrow("x.csv:1: the header is longer than 10 MB");
  });
});

describe("properties", () => {
  const cell = fc
    .oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom('"', ",", ";", "\t", "|", "\n", "\r", " ", "a", "é", "\uFEFF") }),
    )
    .map((text) => text.replaceAll("\0", ""));
  const table = fc
    .integer({ min: 1, max: 5 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }));

  /** Writes `cells` with quotes where they are needed and, by chance, elsewhere; and the line on which each record begins. */
  function write(table: string[][], delimiter: string, end: string, random: () => number) {
    let text = table[0][0].startsWith("\uFEFF") || random() < 0.3 ? "\uFEFF" : "";
    const lines: number[] = [];
    for (const record of table) {
      lines.push(text.split(/\r\n|\r|\n/).length);
      const written = record.map((value) => {
        const needed =
          value.includes(delimiter) || /["\r\n]/.test(value) || (record.length === 1 && value.trim() === "");
        return needed || random() < 0.2 ? `"${value.replaceAll('"', '""')}"` : value;
      });
      text += written.join(delimiter) + end;
    }
    return { text: random() < 0.3 ? text.slice(0, -end.length) : text, lines };
  }

  test("what a writer writes is read back, whatever the cells, line ends and borders of pieces", async () => {
    const delimiters = fc.constantFrom(",", ";", "\t", "|", " ");
    await fc.assert(
      fc.asyncProperty(
        table,
        delimiters,
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.integer(),
        async (table, delimiter, end, seed) => {
          const { text, lines } = write(table, delimiter, end, seeded(seed));
          fc.pre(delimiter !== " " || table.every((record) => record.some((value) => value.trim() !== "")));
          const expected = table.map((cells, i) => ({ line: lines[i], cells }));
          expect(await rows(text, { delimiter }, seed)).toEqual(expected);
        },
      ),
      { seed: 2, numRuns: 500 },
    );
  });

  test("the delimiter of a header with plain names is found", async () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_ ()/-]{0,9}$/);
    const names = fc.array(name, { minLength: 2, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(names, fc.constantFrom(",", ";", "\t", "|"), fc.integer(), async (names, delimiter, seed) => {
        expect((await rows(`${names.join(delimiter)}\n`, {}, seed)).map((row) => row.cells)).toEqual([names]);
      }),
      { seed: 3 },
    );
  });

  test("any bytes: records of one width, or a UserError", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer(), async (bytes, seed) => {
        const result = await rows(bytes, {}, seed).catch((error) => error);
        if (result instanceof Error) expect(result).toBeInstanceOf(UserError);
        else expect(new Set(result.map((row: CsvRow) => row.cells.length)).size).toBeLessThanOrEqual(1);
      }),
      { seed: 4, numRuns: 1000 },
    );
  });
});

test("rows come before the file is read to its end", async () => {
  let pulled = 0;
  async function* endless() {
    yield encode("a,b\n");
    for (; ; pulled++) yield encode("1,2\n3,4\n");
  }
  let read = 0;
  for await (const _ of readCsvRows(endless())) if (++read === 101) break;
  expect(pulled).toBeLessThanOrEqual(51);
});

describe("values of cells", () => {
  test("numbers are finite decimals", () => {
    for (const [text, value] of [
      ["1", 1],
      ["-1.5e3", -1500],
      ["+.5", 0.5],
      ["2.", 2],
      ["1E-3", 0.001],
      ["007", 7],
    ] as const) {
      expect(parseNumber(text)).toBe(value);
    }
    for (const text of [
      "",
      " ",
      "1,5",
      "0x10",
      "1e",
      "e1",
      ".",
      "inf",
      "Infinity",
      "1e999",
      "NaN",
      "1 2",
      "1_000",
      "−1",
      "12%",
      "1.2.3",
    ]) {
      expect(parseNumber(text)).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(parseNumber(String(x))).toBe(x === 0 ? 0 : x);
        expect(parseNumber(x.toExponential())).toBe(x === 0 ? 0 : x);
      }),
      { seed: 5 },
    );
  });

  test("what is missing depends on the column: Na is sodium, and NaN may be its nitride", () => {
    for (const text of ["", "NA", "N/A", "null", "?", "-"]) {
      expect([isMissing(text, "numbers"), isMissing(text, "categories"), isMissing(text, "names")]).toEqual([
        true,
        true,
        text === "",
      ]);
    }
    for (const text of ["nan", "NaN"]) {
      expect([isMissing(text, "numbers"), isMissing(text, "categories"), isMissing(text, "names")]).toEqual([
        true,
        false,
        false,
      ]);
    }
    for (const text of ["Na", "0", "--", "NaNbO3", "none"]) expect(isMissing(text, "numbers")).toBe(false);
  });

  test("a class has one spelling", () => {
    expect(["True", "FALSE", "1.0", "01", "cubic", "True story"].map(label)).toEqual([
      "true",
      "false",
      "1",
      "1",
      "cubic",
      "True story",
    ]);
  });
});
