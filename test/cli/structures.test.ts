import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "./helpers/build.ts";
import { BROKEN, CRYSTALS, cifFolder, jsonLines, matbench, SPARSE, write, zipped } from "./helpers/crystals.ts";
import { folder, spinel } from "./helpers/spinel.ts";

/** What there is to see of structures without a model: `spinel graph` and `spinel info`. */
const { path, remove } = folder();
beforeAll(async () => {
  await buildIfStale();
  write(join(path, "cifs"), cifFolder());
  write(join(path, "broken"), cifFolder({ "x7.cif": BROKEN, "x9.cif": undefined }));
  write(path, {
    "sparse.cif": SPARSE,
    "all.zip": zipped(cifFolder()),
    "all.jsonl": jsonLines(),
    "matbench_salts.json.gz": matbench(),
  });
}, 300_000);
afterAll(remove);

describe.concurrent("spinel graph", () => {
  test("neighbours in shells, as text", async () => {
    expect(await spinel(path, ["graph", "cifs/x7.cif"])).toEqual({
      code: 0,
      stdout:
        "x7: ZnS, space group 1, 3.2833 × 3.2833 × 3.2833 Å, 90.00 90.00 90.00°\n" +
        "  2 atoms, 24 edges; degree 12; distance 2.843 … 3.283 Å\n" +
        "     1 Zn  8 S 2.843 Å, 4 Zn 3.283 Å\n     2 S   8 Zn 2.843 Å, 4 S 3.283 Å\n",
      stderr: "",
    });
    const whole = await spinel(path, ["graph", "cifs/x7.cif", "--shells", "whole"]);
    expect(whole.stdout).toContain("     1 Zn  8 S 2.843 Å, 6 Zn 3.283 Å\n");
    const lone = await spinel(path, ["graph", "sparse.cif"]);
    expect(lone.stdout).toContain("2 atoms, 0 edges; degree 0\n  2 atoms have no neighbour\n     1 Zn  no neighbour\n");
  });

  test("--json: a line for each structure, with all edges", async () => {
    const { stdout } = await spinel(path, ["graph", "all.jsonl", "--json", "--max-neighbours", "0", "--radius", "4"]);
    const graphs = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(graphs.map(({ id }) => id)).toEqual(Array.from({ length: CRYSTALS }, (_, i) => `x${i}`));
    const { species, lattice, positions, edges, degree, spaceGroup } = graphs[1];
    expect([species, spaceGroup, degree[0] + degree[1]]).toEqual([["Na", "S"], 221, edges.length]);
    for (const { receiver, sender, image, vector, distance } of edges) {
      const shift = [0, 1, 2].map((c) =>
        image.reduce((sum: number, n: number, k: number) => sum + n * lattice[k][c], 0),
      );
      for (let c = 0; c < 3; c++)
        expect(vector[c]).toBeCloseTo(positions[sender][c] + shift[c] - positions[receiver][c], 6);
      expect(Math.hypot(...vector)).toBeCloseTo(distance, 6);
      expect(distance).toBeLessThan(4);
    }
  });

  test("--html: a page with everything inside", async () => {
    const { code, stderr } = await spinel(path, ["graph", "cifs/x7.cif", "--html", "x7.html"]);
    expect([code, stderr]).toEqual([0, "ZnS and its graph are drawn in x7.html\n"]);
    const drawn = /<script[^>]*id="structures"[^>]*>(.*?)<\/script>/s.exec(
      readFileSync(join(path, "x7.html"), "utf8"),
    )!;
    const [{ numbers, edges }] = JSON.parse(drawn[1]);
    expect([numbers, edges.length]).toEqual([[30, 16], 24]);
  });

  test("--skip-bad", async () => {
    const { code, stdout, stderr } = await spinel(path, ["graph", "broken", "--skip-bad", "--json"]);
    expect([code, stdout.split("\n").length]).toEqual([0, 23]);
    expect(stderr).toBe(
      'broken/id_prop.csv:8: left out: broken/x7.cif:22: _atom_site_fract_y is "O.5": not a number.\n' +
        'broken/id_prop.csv:10: left out: there is no structure file for "x9".\n',
    );
  });
});

describe.concurrent("spinel info", () => {
  const info = async (...args: string[]) => (await spinel(path, ["info", ...args])).stdout;

  test("a folder: columns, elements, sizes, and what cannot be read", async () => {
    expect(await info("broken")).toBe(
      "file: broken\nkind: structures\nrows: 24\ncolumns:\n  id  text, e.g. x0 | x1 | x2\n  target  numbers 1.467 … 4.567\n" +
        "formulas: 22 different\natoms per structure: least 2, mean 2, most 2\n" +
        "structures with each element: F 4, S 4, O 4, I 4, Li 3, K 3, Rb 3, Mg 3, Br 3, Cl 3, Ca 3, Sr 3, Na 2, Zn 2\n" +
        'space groups:\n  1  P 1  22\ncannot be read:\n  broken/x7.cif:22: _atom_site_fract_y is "O.5": not a number.\n' +
        '  broken/id_prop.csv:10: there is no structure file for "x9".\n',
    );
  });

  test("a file, a table of structures, a zip", async () => {
    expect(await info("cifs/x7.cif")).toContain(
      "rows: 1\ncolumns:\n  id  text, e.g. x7\nformula: ZnS\ncell: a 3.28333, b 3.28333, c 3.28333, alpha 90, beta 90, gamma 90\n",
    );
    const facts = JSON.parse(await info("all.jsonl", "--json"));
    expect(facts.columns.map(({ name }: { name: string }) => name)).toEqual(["id", "spacegroup", "energy", "metal"]);
    expect(facts["space groups"]).toEqual([
      { number: 221, symbol: "P m -3 m", rows: 12 },
      { number: 225, symbol: "F m -3 m", rows: 12 },
    ]);
    expect(facts["atoms per structure"]).toEqual({ least: 2, mean: 2, most: 2 });
    expect(JSON.parse(await info("all.zip", "--json")).rows).toBe(CRYSTALS);
    expect(await info("matbench_salts.json.gz")).toContain("rows: 24\ncolumns:\n  mbid  text, e.g. mb-salts-01");
  });
});
