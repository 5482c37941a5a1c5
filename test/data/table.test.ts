import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { Rng } from "../../src/core/random.ts";
import { type ColumnOptions, readRows, readTable, type Table, type TableOptions } from "../../src/data/table.ts";
import { fuzz, inPieces, seeded, tableTrial } from "../fuzz/tables.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const read = (text: string, options: TableOptions = {}) => readTable(encode(text), { file: "x.csv", ...options });

async function failure(text: string, options: TableOptions = {}): Promise<UserError> {
  const error = await read(text, options).catch((reason) => reason);
  expect(error).toBeInstanceOf(UserError);
  return error;
}

async function batches(text: string, options: ColumnOptions & { batch?: number } = {}): Promise<Table[]> {
  const out: Table[] = [];
  for await (const table of readRows(inPieces(encode(text), seeded(1)), { file: "x.csv", ...options })) out.push(table);
  return out;
}

const ALLOYS = `id,formula,Ni,Cr,heat treatment,strength,fold
a1,NiCr,0.5,0.5,aged,"812.5",0
a2,NaN, 1.0 ,0,none,-1e3,1

a3,NiFe,.25,0,aged,700,0
`;

describe("columns and their roles", () => {
  test("every role, by example", async () => {
    const table = await read(ALLOYS, {
      target: "strength",
      numeric: ["Ni"],
      categorical: ["heat treatment"],
      foldColumn: "fold",
    });
    expect({ ...table }).toEqual({
      file: "x.csv",
      ids: ["a1", "a2", "a3"],
      formulas: ["NiCr", "NaN", "NiFe"],
      lines: Int32Array.of(2, 3, 5),
      numeric: { names: ["Ni"], values: Float64Array.of(0.5, 1, 0.25) },
      categorical: { names: ["heat treatment"], values: [["aged", "none", "aged"]] },
      targets: { names: ["strength"], values: Float64Array.of(812.5, -1000, 700) },
      classes: undefined,
      fold: Int32Array.of(0, 1, 0),
      unused: ["Cr"],
      dropped: [],
    });
    expect(table.length).toBe(3);
  });

  test("several targets and numbers are row-major", async () => {
    const table = await read(ALLOYS, { target: ["strength", "Cr"], numeric: ["fold", "Ni"] });
    expect(table.targets).toEqual({ names: ["strength", "Cr"], values: Float64Array.of(812.5, 0.5, -1000, 0, 700, 0) });
    expect(table.numeric).toEqual({ names: ["fold", "Ni"], values: Float64Array.of(0, 0.5, 1, 1, 0, 0.25) });
  });

  test("id and formula are found by name, in any case, unless told otherwise", async () => {
    const text = "Material_ID,Composition,name,x\n1,NaCl,salt,2\n";
    expect(await read(text)).toMatchObject({ ids: ["1"], formulas: ["NaCl"], unused: ["name", "x"] });
    expect(await read(text, { id: "name" })).toMatchObject({ ids: ["salt"] });
    expect(await read(text, { formula: "name" })).toMatchObject({ formulas: ["salt"], unused: ["Composition", "x"] });
    expect(await read(text, { ignore: ["Material_ID", "Composition"] })).toMatchObject({
      ids: ["1"],
      formulas: undefined,
    });
    expect(await read("x,material\n1,NaCl\n2,KBr\n")).toMatchObject({ ids: ["1", "2"], formulas: undefined });
    expect(await read("composition,formula\n0.5,NaCl\n", { numeric: ["composition"] })).toMatchObject({
      formulas: ["NaCl"],
    });
  });

  test('numeric "*" takes what is left and begins with a number', async () => {
    const text = ",id,formula,a,b,note,late,empty,y\n0,1,Fe,1,2,see 3,NaN,,5\n1,2,Co,3,4,5,2,,6\n";
    const table = await read(text, { target: "y", numeric: ["b", "*"], ignore: ["late"] });
    expect(table.numeric).toEqual({ names: ["b", "a"], values: Float64Array.of(2, 1, 4, 3) });
    expect(table.unused).toEqual(["", "note", "late", "empty"]);
    const late = await failure(text, { numeric: ["*"] });
    expect(late.message).toContain('x.csv: values are missing in 1 of 2 rows: line 2 "late".');
    expect((await failure("id,a\n1,2\n2,x\n", { numeric: ["*"] })).message).toContain('x.csv:3: column "a" holds "x"');
  });

  test("a name that is not there comes with the nearest one and the list", async () => {
    const error = await failure(ALLOYS, { target: "strenght" });
    expect(error.message).toContain('x.csv has no target column "strenght".');
    expect(error.hint).toBe(
      'Did you mean "strength"? It has "id", "formula", "Ni", "Cr", "heat treatment", "strength", "fold".',
    );
    for (const [role, options] of Object.entries({
      id: { id: "zz" },
      formula: { formula: "zz" },
      numeric: { numeric: ["zz"] },
      categorical: { categorical: ["zz"] },
      ignored: { ignore: ["zz"] },
      fold: { foldColumn: "zz" },
    })) {
      expect((await failure(ALLOYS, options)).message).toContain(`x.csv has no ${role} column "zz".`);
    }
    const wide = await failure(`${Array.from({ length: 30 }, (_, i) => `c${i}`).join(",")}\n`, { target: "target" });
    expect(wide.hint).toContain('"c19", … (30 in all).');
  });

  test("one role per column, one column per name", async () => {
    const both = await failure(ALLOYS, { target: "Ni", numeric: ["Ni"] });
    expect(both.message).toContain('x.csv: column "Ni" cannot be both target and numeric.');
    expect((await failure("a, b ,b\n1,2,3\n")).message).toContain('x.csv:1: columns 2 and 3 are both "b".');
    expect((await failure("\n\na,a\n1,2\n")).message).toContain("x.csv:3: columns 1 and 2");
  });

  test("no rows, or none that is complete", async () => {
    expect((await failure("")).message).toContain("x.csv is empty.");
    expect((await failure("a,b\n")).message).toContain("x.csv: there are no rows.");
    const none = await failure("id,y\n1,\n2,NA\n", { target: "y", dropMissing: true });
    expect(none.message).toContain('x.csv: every row lacks a value, e.g. line 2: no value in "y".');
  });
});

describe("missing values are reported, never guessed", () => {
  const text = "id,formula,a,b,c,y\n1,Fe,1,2,x,3\n2,,1,2,x,3\n3,NaN,,nan,x,3\n,Co,1,2,?,3\n5,NA,1,2,NaN,null\n";

  test("all are counted, the first are named", async () => {
    const error = await failure(text, { target: "y", numeric: ["a", "b"], categorical: ["c"] });
    expect(error.message).toContain(
      'x.csv: values are missing in 4 of 5 rows: line 3 "formula"; line 4 "a", "b"; line 5 "c", "id"; line 6 "y".',
    );
    expect(error.hint).toContain("dropMissing");
    const many = await failure(`y\n${"NA\n".repeat(100)}`, { target: "y" });
    expect(many.message).toContain(
      'in 100 of 100 rows: line 2 "y"; line 3 "y"; line 4 "y"; line 5 "y"; line 6 "y"; ….',
    );
  });

  test("dropMissing leaves them out and says which", async () => {
    const table = await read(text, { target: "y", numeric: ["a", "b"], categorical: ["c"], dropMissing: true });
    expect(table).toMatchObject({ ids: ["1"], formulas: ["Fe"], lines: Int32Array.of(2) });
    expect(table.dropped).toEqual([
      { line: 3, reason: 'no value in "formula"' },
      { line: 4, reason: 'no value in "a", "b"' },
      { line: 5, reason: 'no value in "c", "id"' },
      { line: 6, reason: 'no value in "y"' },
    ]);
  });

  test("NaN is sodium nitride in a formula, a category in a category, and missing only among numbers", async () => {
    const table = await read(text, { categorical: ["c"], dropMissing: true });
    expect(table.formulas).toEqual(["Fe", "NaN", "NA"]);
    expect(table.categorical.values).toEqual([["x", "x", "NaN"]]);
    expect((await read("id\nNA\nnull\nNaN\n")).ids).toEqual(["NA", "null", "NaN"]);
  });

  test("columns without a role may be as empty as they like", async () => {
    expect((await read("id,x,y\n1,,2\n2,NA,3\n", { target: "y" })).length).toBe(2);
  });
});

describe("numbers and folds", () => {
  test.each([
    ["12O.5", "another role"],
    ["1,5", "A decimal comma? Numbers need a point: 1.5"],
    ["−3", "U+2212"],
    ["inf", "Leave out"],
    ["-Infinity", "Leave out"],
    ["1e999", "Leave out"],
    ["0x10", "another role"],
  ])("%s", async (text, hint) => {
    const error = await failure(`id;x\n1;2\n2;${text}\n`, { numeric: ["x"] });
    expect(error.message).toContain(`x.csv:3: column "x" holds "${text}", which is not a finite number.`);
    expect(error.hint).toContain(hint);
  });

  test("folds are 0, 1, …", async () => {
    expect((await read("id,fold\n1,0\n2,3.0\n", { foldColumn: "fold" })).fold).toEqual(Int32Array.of(0, 3));
    for (const fold of ["-1", "1.5", "train", "1e99"]) {
      const error = await failure(`id,fold\n1,0\n2,${fold}\n`, { foldColumn: "fold" });
      expect(error.message).toContain(`x.csv:3: column "fold" holds "${fold}", not a fold 0, 1, 2, …`);
    }
  });

  test("an id comes once; without ids the rows are numbered", async () => {
    const error = await failure("x,id\n1,a\n2,b\n3,a\n");
    expect(error.message).toContain('x.csv: lines 2 and 4 have the same id "a" (column "id").');
    expect(error.hint).toContain("ignore the column");
    const table = await read("y\n1\n\nNA\n3\n", { target: "y", dropMissing: true });
    expect(table).toMatchObject({ ids: ["1", "3"], lines: Int32Array.of(2, 5) });
  });
});

describe("classes", () => {
  const targets = async (cells: string[], options: TableOptions = {}) => {
    const table = await read(`y\n${cells.join("\n")}\n`, { target: "y", ...options });
    return { classes: table.classes, values: Array.from(table.targets!.values) };
  };

  test("text, true/false and 0/1 are labels; other numbers are not, unless the task says so", async () => {
    expect(await targets(["fcc", "bcc", "fcc"])).toEqual({ classes: ["bcc", "fcc"], values: [1, 0, 1] });
    expect(await targets(["True", "false", "TRUE"])).toEqual({ classes: ["false", "true"], values: [1, 0, 1] });
    expect(await targets(["1", "0", "1.0"])).toEqual({ classes: ["0", "1"], values: [1, 0, 1] });
    expect(await targets(["1", "0"], { task: "regression" })).toEqual({ classes: undefined, values: [1, 0] });
    expect(await targets(["0", "0"])).toEqual({ classes: undefined, values: [0, 0] });
    expect(await targets(["1", "0", "2"])).toEqual({ classes: undefined, values: [1, 0, 2] });
    expect(await targets(["10", "9.0", "9", "225"], { task: "classification" })).toEqual({
      classes: ["9", "10", "225"],
      values: [1, 0, 0, 2],
    });
    expect(await targets(["Na", "K", "10"], { task: "classification" })).toEqual({
      classes: ["10", "K", "Na"],
      values: [2, 1, 0],
    });
  });

  test("text among numbers is a mistake, not a class", async () => {
    const text = await failure("y\n1\n2\nx\n", { target: "y" });
    expect(text.message).toContain('x.csv:4: column "y" holds "x", which is not a finite number.');
    expect(text.hint).toContain("a target of classes");
    const number = await failure("y\nfcc\n2\n", { target: "y" });
    expect(number.message).toContain('x.csv:3: column "y" is the number "2" after text.');
    expect((await failure("y\nfcc\n", { target: "y", task: "regression" })).message).toContain("not a finite number");
    expect((await failure("y,z\n1,fcc\n", { target: ["y", "z"] })).message).toContain('column "z" holds "fcc"');
    expect((await failure(ALLOYS, { target: ["Ni", "Cr"], task: "classification" })).message).toContain(
      "one target, not 2",
    );
  });

  test("given classes keep their order, and others are refused", async () => {
    const classes = ["hcp", "fcc", "bcc"];
    expect(await targets(["fcc", "fcc"], { classes })).toEqual({ classes, values: [1, 1] });
    expect(await targets(["1.0", "0"], { classes: ["1", "0"] })).toEqual({ classes: ["1", "0"], values: [0, 1] });
    const error = await failure("y\nfcc\ndhcp\n", { target: "y", classes });
    expect(error.message).toContain('x.csv:3: column "y" holds "dhcp", which is none of the classes.');
    expect(error.hint).toBe('They are "hcp", "fcc", "bcc".');
  });
});

describe("formats", () => {
  const expected = {
    ids: ["a", "b"],
    formulas: ["NaN", "H2O"],
    targets: { names: ["y"], values: Float64Array.of(1.5, 2) },
  };
  const lines = '{"id":"a","formula":"NaN","y":1.5,"s":[1]}\n{"id":"b","formula":"H2O","y":"2","s":[]}\n';
  const array = `[${lines.trim().replace("\n", ",")}]`;
  const csv = "id,formula,y\na,NaN,1.5\nb,H2O,2\n";

  test("CSV, JSON lines and JSON, plain or gzipped, are told apart by content where the name does not say", async () => {
    for (const text of [csv, csv.replaceAll(",", "\t"), lines, array, ` \n${array}`]) {
      for (const bytes of [encode(text), new Uint8Array(gzipSync(text))]) {
        expect(await readTable(bytes, { target: "y" })).toMatchObject(expected);
        expect(await readTable(inPieces(bytes, seeded(9)), { target: "y" })).toMatchObject({
          ...expected,
          file: "input",
        });
        const name = text === lines || text.includes("[") ? "t.jsonl.gz" : "t.csv";
        expect(await readTable(new File([bytes as BlobPart], name), { target: "y" })).toMatchObject({
          ...expected,
          file: name,
        });
      }
    }
    expect(await readTable(encode("[Fe/H],y\n-0.5,2\n"), { target: "y" })).toMatchObject({ unused: ["[Fe/H]"] });
    await expect(readTable(encode(csv), { file: "x.json" })).rejects.toThrow("x.json:1:1: not JSON");
  });

  test("JSON values: null and absent are missing, true and false are labels, structures are no cells", async () => {
    const records = '{"y":true,"x":1,"s":{}}\n{"y":false,"x":null}\n{"x":2}\n{"y":"True","x":1e2}\n';
    const table = await readTable(encode(records), { target: "y", numeric: ["x"], dropMissing: true });
    expect(table.targets!.values).toEqual(Float64Array.of(0, 0));
    expect(table.classes).toEqual(["true"]);
    expect(table.numeric.values).toEqual(Float64Array.of(1, 100));
    expect(table.dropped.map(({ line }) => line)).toEqual([2, 3]);
    await expect(readTable(encode(records), { numeric: ["s"], file: "x.jsonl" })).rejects.toThrow(
      'x.jsonl:1: column "s" holds an array or an object, not a value.',
    );
    expect(await readTable(encode('{"a":1,"s":[2]}\n'), { numeric: ["*"] })).toMatchObject({
      numeric: { names: ["a"] },
    });
    await expect(readTable(encode('{"a":1}\n{"a":2,"b":3}\n'), { numeric: ["*"] })).rejects.toThrow('has no field "b"');
    await expect(readTable(encode('{"a":1e999}\n'), { numeric: ["a"] })).rejects.toThrow('holds "Infinity"');
  });
});

test("rows: any rows in any order, and an error for one that is not there", async () => {
  const options = { target: ["strength", "Cr"], numeric: ["Ni", "fold"], categorical: ["heat treatment"] };
  const table = await read(ALLOYS, options);
  expect({ ...table.rows([0, 1, 2]) }).toEqual({ ...table });
  const some = (await read(ALLOYS, { ...options, numeric: ["Ni"], foldColumn: "fold" })).rows(Int32Array.of(2, 0, 2));
  expect(some).toMatchObject({
    length: 3,
    ids: ["a3", "a1", "a3"],
    formulas: ["NiFe", "NiCr", "NiFe"],
    lines: Int32Array.of(5, 2, 5),
    numeric: { values: Float64Array.of(0.25, 0.5, 0.25) },
    categorical: { values: [["aged", "aged", "aged"]] },
    targets: { values: Float64Array.of(700, 0, 812.5, 0.5, 700, 0) },
    fold: Int32Array.of(0, 0, 0),
  });
  expect(table.rows([])).toMatchObject({ length: 0, ids: [] });
  const { train, validation } = table.split(0.7, new Rng(1));
  expect([train.length, [...train.ids, ...validation.ids].sort()]).toEqual([2, ["a1", "a2", "a3"]]);
  for (const i of [-1, 3, 0.5, Number.NaN]) expect(() => table.rows([0, i])).toThrow(`rows: there is no row ${i}`);
});

describe("readRows", () => {
  test("batches add up to the table, and number rows and lines as it does", async () => {
    const text = `formula,x\n${Array.from({ length: 10 }, (_, i) => `Fe${i},${i === 4 || i === 5 ? "NA" : i}`).join("\n")}\n`;
    const whole = await read(text, { numeric: ["x"], dropMissing: true });
    for (const batch of [1, 2, 3, 5, 10, 11, undefined]) {
      const tables = await batches(text, { numeric: ["x"], dropMissing: true, batch });
      expect(tables.length).toBe(Math.ceil(10 / (batch ?? 1024)));
      expect(tables.flatMap((table) => table.ids)).toEqual(whole.ids);
      expect(tables.flatMap((table) => table.formulas)).toEqual(whole.formulas);
      expect(tables.flatMap((table) => [...table.lines])).toEqual([...whole.lines]);
      expect(tables.flatMap((table) => [...table.numeric.values])).toEqual([...whole.numeric.values]);
      expect(tables.flatMap((table) => table.dropped)).toEqual(whole.dropped);
      expect(tables.every((table) => table.targets === undefined)).toBe(true);
    }
    await expect(batches(text, { numeric: ["x"], batch: 2 })).rejects.toThrow('line 6 "x"; line 7 "x"');
    await expect(batches(text, { batch: 0 })).rejects.toThrow("batch is 0");
    await expect(batches("a\n")).rejects.toThrow("x.csv: there are no rows.");
  });

  test("the first batch comes before the file is read to its end, and the file is closed when reading stops", async () => {
    let pulled = 0;
    let closed = false;
    async function* endless() {
      try {
        for (yield encode("formula,x\n"); ; pulled++) yield encode("NaCl,1\nKBr,2\n");
      } finally {
        closed = true;
      }
    }
    for await (const table of readRows(endless(), { numeric: ["x"], batch: 100 })) {
      expect(table.length).toBe(100);
      break;
    }
    expect(pulled).toBeLessThanOrEqual(51);
    expect(closed).toBe(true);
    for (const wrong of [
      { numeric: ["y"] },
      { delimiter: ",," },
      { numeric: ["formula"] },
      { numeric: ["*", "formula"] },
    ]) {
      closed = false;
      await expect(readTable(endless(), wrong)).rejects.toThrow(UserError);
      expect(closed).toBe(true);
    }
  });
});

test("property: a typed table that is written as CSV or JSON lines is read back", async () => {
  const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ;"',.]{0,20}$/).map((text) => `w${text.trim()}`);
  const row = fc.record({
    id: fc.uuid(),
    formula: fc.constantFrom("NaN", "NA", "NaCl", "Fe0.5 Ni0.5", "CaSO4·2H2O"),
    x: fc.double({ noNaN: true, noDefaultInfinity: true }),
    phase: word,
    y: fc.double({ noNaN: true, noDefaultInfinity: true }),
  });
  const table = fc.uniqueArray(row, { selector: ({ id }) => id, minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(table, fc.integer(), fc.boolean(), async (rows, seed, json) => {
      const cell = (value: string | number) =>
        typeof value === "number" ? String(value) : `"${value.replaceAll('"', '""')}"`;
      const csv = [
        "id,formula,x,phase,y",
        ...rows.map((r) => [r.id, r.formula, r.x, r.phase, r.y].map(cell).join(",")),
      ].join("\n");
      const text = json ? rows.map((r) => JSON.stringify(r)).join("\n") : csv;
      const options: TableOptions = { target: "y", task: "regression", numeric: ["x"], categorical: ["phase"] };
      const read = await readTable(inPieces(encode(text), seeded(seed)), options);
      expect(read.ids).toEqual(rows.map((r) => r.id));
      expect(read.formulas).toEqual(rows.map((r) => r.formula));
      expect(read.categorical.values).toEqual([rows.map((r) => r.phase)]);
      expect([...read.numeric.values]).toEqual(rows.map((r) => (r.x === 0 ? 0 : r.x)));
      expect([...read.targets!.values]).toEqual(rows.map((r) => (r.y === 0 ? 0 : r.y)));
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("1500 mutated tables: a table or a clear error", async () => {
  const { accepted, rejected } = await fuzz(tableTrial, { seed: 20240229, trials: 1500 });
  expect(accepted).toBeGreaterThan(150);
  expect(rejected).toBeGreaterThan(150);
});
