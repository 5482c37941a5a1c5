import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { isMatbench, readMatbenchCells } from "../../src/data/matbench.ts";
import { readTable } from "../../src/data/table.ts";

/** The header and the rows' cells of `text`, fed in pieces of so many bytes. */
async function read(text: string, { file = "table.json", piece = 7 } = {}): Promise<(readonly unknown[])[]> {
  const bytes = new TextEncoder().encode(text);
  async function* pieces() {
    for (let i = 0; i < bytes.length; i += piece) yield bytes.subarray(i, i + piece);
  }
  const rows: (readonly unknown[])[] = [];
  for await (const { cells } of readMatbenchCells(pieces(), { file })) rows.push(cells);
  return rows;
}

const split = (columns: string[], data: unknown[][], index: unknown[] = data.map((_, i) => i)) =>
  JSON.stringify({ index, columns, data });

const site = (...species: [element: string, occu: number][]) => ({
  species: species.map(([element, occu]) => ({ element, oxidation_state: 1, occu })),
  abc: [0, 0, 0.5],
  label: "a site",
});
const structure = (...sites: object[]) => ({ "@class": "Structure", charge: null, lattice: { a: 3.1 }, sites });

test("a composition task", async () => {
  const text = split(
    ["composition", "gap expt"],
    [
      ["Ag(AuS)2", 0.0],
      ["NaN", 1.25],
    ],
  );
  for (const piece of [1, 2, 1000])
    expect(await read(text, { piece })).toEqual([
      ["composition", "gap expt"],
      ["Ag(AuS)2", 0],
      ["NaN", 1.25],
    ]);
});

test("a structure task gives the crystals' compositions, in the order of their sites", async () => {
  const data = [
    [structure(site(["K", 1]), site(["K", 1]), site(["S", 1])), 1.75],
    [structure(site(["Fe", 0.1], ["Ni", 0.9]), site(["Fe", 0.2]), site(["O", 1])), 2.5],
  ];
  expect(await read(split(["structure", "n"], data))).toEqual([
    ["composition", "n"],
    ["K2S", 1.75],
    ["Fe0.3Ni0.9O", 2.5], // 0.1 + 0.2 is not 0.30000000000000004
  ]);
});

test("where there are formulas, structures stay what they are", async () => {
  const crystal = structure(site(["Cl", 1]));
  const composition = { "@module": "pymatgen.core.composition", "@class": "Composition", Na: 1.0, Cl: 2.5 };
  expect(await read(split(["structure", "formula"], [[crystal, "NaCl"]]))).toEqual([
    ["structure", "formula"],
    [crystal, "NaCl"],
  ]);
  expect(await read(split(["composition", "K"], [[composition, 1]]))).toEqual([
    ["composition", "K"],
    ["NaCl2.5", 1],
  ]);
  expect(await read(split(["a", "b"], [[crystal, true]]))).toEqual([
    ["a", "b"],
    [crystal, true],
  ]);
});

test("a file of Matbench has the official ids", async () => {
  const text = split(
    ["composition", "gap expt"],
    Array.from({ length: 12 }, () => ["Fe", 1]),
  );
  for (const file of [
    "matbench_expt_gap.json.gz",
    "/data/matbench_expt_gap.json",
    "C:\\data\\matbench_expt_gap.json.gz",
  ]) {
    const rows = await read(text, { file });
    expect(rows[0]).toEqual(["mbid", "composition", "gap expt"]);
    expect(rows[1]).toEqual(["mb-expt-gap-01", "Fe", 1]);
    expect(rows[12]).toEqual(["mb-expt-gap-12", "Fe", 1]);
  }
});

test("an index of names becomes the ids", async () => {
  const text = split(
    ["formula", "x"],
    [
      ["Fe", 1],
      ["Ni", 2],
    ],
    ["mp-13", "mp-23"],
  );
  expect(await read(text)).toEqual([
    ["id", "formula", "x"],
    ["mp-13", "Fe", 1],
    ["mp-23", "Ni", 2],
  ]);
});

test("Python's NaN is a missing value, its Infinity is kept as text, and neither is touched inside strings", async () => {
  const text = `{"index": [0, 1, 2], "columns": ["formula", "x", "note"],
    "data": [["NaN", NaN, "a \\"NaN\\" ]},["], ["N", -Infinity, null], ["B", 1e-3, "\\\\"]]}`;
  expect(await read(text)).toEqual([
    ["formula", "x", "note"],
    ["NaN", null, 'a "NaN" ]},['],
    ["N", "-Infinity", null],
    ["B", 0.001, "\\"],
  ]);
});

test("tables without rows or without an index", async () => {
  expect(await read(split(["formula", "x"], []))).toEqual([["formula", "x"]]);
  expect(await read('{"columns":["formula"],"data":[["Fe"]]}')).toEqual([["formula"], ["Fe"]]);
  expect(await read('\n{ "columns" : [ "formula" ] ,\r\n"data" : [ [ "Fe" ] , [ "Ni" ] ] }\n')).toHaveLength(3);
});

test("any table comes back as it was written, however it is cut into pieces", async () => {
  const cell = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.jsonValue(),
  );
  const table = fc
    .uniqueArray(
      fc.string().filter((name) => !["composition", "formula", "structure"].includes(name)),
      { minLength: 1, maxLength: 4 },
    )
    .chain((columns) =>
      fc.tuple(
        fc.constant(columns),
        fc.array(fc.array(cell, { minLength: columns.length, maxLength: columns.length })),
      ),
    );
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(0, 2),
      async ([columns, data], piece, indent) => {
        const text = JSON.stringify({ index: data.map((_, i) => i), columns, data }, null, indent);
        const { data: written, columns: names } = JSON.parse(text) as { data: unknown[][]; columns: string[] };
        expect(await read(text, { piece })).toEqual([names, ...written]);
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

test("a file that ends early is never taken for a whole one", async () => {
  const text = split(
    ["composition", "x"],
    [
      ["Fe", 1.5],
      [{ Ni: 2 }, true],
    ],
  );
  for (let end = 0; end < text.length; end++)
    await expect(read(text.slice(0, end)), text.slice(0, end)).rejects.toThrow(UserError);
});

test("damaged files end in a UserError or in rows, never otherwise", async () => {
  const text = split(
    ["structure", "x"],
    [
      [structure(site(["K", 1])), 1.75],
      [structure(site(["S", 2])), null],
    ],
  );
  const change = fc.tuple(
    fc.nat(text.length),
    fc.nat(3),
    fc.constantFrom("", "{", "}", "[", "]", '"', ",", ":", "\\", "0", "é", "x"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      let damaged = text;
      for (const [at, drop, insert] of changes) damaged = damaged.slice(0, at) + insert + damaged.slice(at + drop);
      await read(damaged, { piece: 16 }).catch((error: unknown) => expect(error).toBeInstanceOf(UserError));
    }),
    { seed: 2, numRuns: 2000 },
  );
});

test.each<[string, string, RegExp]>([
  ["nothing", "", /ends early/],
  ["another orientation", '{"formula": {"0": "Fe"}, "x": {"0": 1}}', /not a table of Matbench's kind/],
  ["records", '[{"formula": "Fe"}]', /not a table of Matbench's kind/],
  ["another array", '{"rows": [["Fe", 1]]}', /has no "rows"/],
  ["CSV", "formula,x\nFe,1\n", /not a table of Matbench's kind/],
  ["something after the end", `${split(["formula"], [["Fe"]])},`, /not a table of Matbench's kind/],
  ["two tables", split(["formula"], [["Fe"]]).repeat(2), /not a table of Matbench's kind/],
  ["data without names", '{"data": [["Fe"]], "columns": ["formula"]}', /"data" comes before "columns"/],
  ["a short row", split(["formula", "x"], [["Fe", 1], ["Ni"]]), /table\.json, row 2: .* is not a row of 2 cells/],
  ["a cell for a row", '{"columns": ["formula"], "data": [["Fe"], 3]}', /row 2: "3" is not a row/],
  ["a closing brace for a bracket", '{"columns": ["formula"], "data": [["Fe"]}}', /item 1 of "data".* is not JSON/],
  ["a comma too many", '{"columns": ["formula"], "data": [["Fe"],]}', /item 2 of "data": "" is not JSON/],
  ["a bare word", '{"columns": ["formula"], "data": [[Fe]]}', /item 1 of "data": "\[Fe\]" is not JSON/],
  ["a number for a formula", split(["formula"], [[26]]), /row 1, "formula": "26" is neither a formula nor a structure/],
  ["a structure without sites", split(["structure"], [[{ sites: [] }]]), /row 1, "composition": .* neither/],
  ["a site without species", split(["structure"], [[{ sites: [{ label: "Fe" }] }]]), /neither/],
  ["a species without an amount", split(["structure"], [[{ sites: [{ species: [null] }] }]]), /neither/],
  ["fewer rows than names", split(["formula"], [["Fe"]], [0, 1]), /index names 2 rows, but there are 1/],
])("%s is a UserError", async (_, text, message) => {
  const error = await read(text).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toMatch(message);
});

test("the first bytes tell such a table from other JSON", () => {
  const is = (text: string) => isMatbench(new TextEncoder().encode(text));
  expect(is('{"index": [0, 1')).toBe(true);
  expect(is(' {\n "columns":["a"')).toBe(true);
  expect(is('{"data": "x"}')).toBe(false);
  expect(is('{"formula": "Fe", "index": [')).toBe(false);
  expect(is('[{"index": [')).toBe(false);
});

test("readTable takes such a file like any other table", async () => {
  const text =
    '{"index": [0, 1, 2], "columns": ["composition", "gap expt"], "data": [["NaCl", 8.5], ["Si", 1.1], ["NaN", 0.0]]}';
  const table = await readTable(new TextEncoder().encode(text), { target: "gap expt", file: "matbench_expt_gap.json" });
  expect(table.formulas).toEqual(["NaCl", "Si", "NaN"]);
  expect([...table.targets!.values]).toEqual([8.5, 1.1, 0]);
  expect(table.ids[0]).toMatch(/^mb-expt-gap-0*1$/);
});
