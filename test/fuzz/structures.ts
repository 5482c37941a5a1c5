import { strToU8, zipSync } from "fflate";
import { readCrystals } from "../../src/data/crystals.ts";
import { parseExtxyz, writeExtxyz } from "../../src/data/extxyz.ts";
import { Lattice } from "../../src/data/lattice.ts";
import { parsePoscar, writePoscar } from "../../src/data/poscar.ts";
import { structureFromPymatgen, toPymatgen } from "../../src/data/pymatgen.ts";
import { Structure } from "../../src/data/structure.ts";
import { readStructures } from "../../src/data/structureFiles.ts";
import { below, inPieces, mutate, pick, type Random } from "./tables.ts";

const SALT = new Structure({
  numbers: [11, 17],
  fractional: [0, 0, 0, 0.5, 0.5, 0.5],
  lattice: Lattice.fromParameters(3, 4, 5, 80, 90, 110),
  properties: { energy: -1.5, name: "a b", done: true },
  arrays: { forces: Float64Array.of(0, 1, -2, 3, 4, 5) },
});
const POSCARS = [
  writePoscar(SALT),
  "Na Cl\n-60.5\n1 0 0\n0 1 0\n0 0 1\n1 1\nSelective dynamics\nCartesian\n0 0 0 T F T\n.5 .5 .5 F F F\n",
  "x\n1 2 3\n1 0 0\n.5 1 0\n0 0 1e0\nFe_pv O\n1 2\nDirect\n0 0 0 Fe\n.5 .5 .5 O\n0.25 0 0 O\n\n0 0 0\n",
];
const XYZ = [
  writeExtxyz([SALT, SALT]),
  "3\nwater\nO 0 0 0\nH 0 0 1\nH 1 0 0\n",
  `1\nLattice="1 0 0 0 2 0 0 0 0" Properties=Z:I:1:pos:R:3:l:L:1:s:S:2 pbc="T T F" flag a='x "y"' m=[[1, 2], [3]]\n26 0 0 0 T a b\n`,
];
const RECORD = toPymatgen(SALT) as Record<string, unknown>;
const JSONS = [
  RECORD,
  { ...RECORD, lattice: SALT.lattice!.parameters },
  toPymatgen(SALT.with({ lattice: undefined, periodic: undefined })),
];
const ROWS = [
  {
    id: "a",
    lattice: SALT.lattice!.matrix,
    species: ["Na", "Cl-"],
    frac: [
      [0, 0, 0],
      [0.5, 0.5, 0.5],
    ],
    spacegroup: 1,
    y: 1.5,
  },
  {
    id: "b",
    cell: [3, 0, 0, 0, 3, 0, 0, 0, 3],
    numbers: [11, 17],
    positions: [
      [0, 0, 0],
      [1, 1, 1],
    ],
    pbc: [true, true, false],
    y: 2,
  },
  { id: "c", structure: RECORD, y: 3 },
];
const LINES = [[ROWS[0], { ...ROWS[0], id: "d" }], [ROWS[1]], [ROWS[2], { ...ROWS[2], id: 1 }]].map((rows) =>
  rows.map((row) => JSON.stringify(row)).join("\n"),
);
const FOLDER = zipSync({
  "id_prop.csv": strToU8("a,1\nb,2\n"),
  "a.vasp": strToU8(POSCARS[0]),
  "b.xyz": [strToU8(XYZ[1]), { level: 0 }],
});
const ZIPS = [FOLDER, zipSync({ "x/POSCAR": strToU8(POSCARS[1]), "x/c.json": strToU8(JSON.stringify(RECORD)) })];

const encode = (texts: readonly string[]) => texts.map((text) => strToU8(text));
const SEEDS = {
  poscar: encode(POSCARS),
  xyz: encode(XYZ),
  json: encode(JSONS.map((json) => JSON.stringify(json))),
  rows: encode(LINES),
  zip: ZIPS,
};
const ALL = Object.values(SEEDS).flat();

/** One mutated file through one of the readers: sound structures that are written and read back, or a UserError. */
export async function structureTrial(random: Random): Promise<void> {
  const kind = pick(random, ["poscar", "xyz", "json", "rows", "zip"] as const);
  const bytes = mutate(pick(random, SEEDS[kind]), random() < 0.8 ? SEEDS[kind] : ALL, random);
  if (kind === "rows" || (kind === "zip" && random() < 0.5)) {
    const options = { file: kind === "rows" ? "a.jsonl" : "a.zip", target: "y", skipBad: random() < 0.5 };
    const table = await readCrystals(inPieces(bytes, random), options);
    const sizes = [table.ids, table.formulas!, table.structures!, table.lines, table.targets!.values].map(
      (each) => each.length,
    );
    if (sizes.some((size) => size !== table.length)) throw new Error("an inconsistent table");
    table.structures!.forEach(check);
  } else if (kind === "zip") (await readStructures(bytes, { file: "a.zip" })).forEach(check);
  else {
    // Damage may leave text that is no UTF-8, which is another reader's affair.
    const text = new TextDecoder().decode(bytes);
    if (kind === "poscar") checkAgain(parsePoscar(text), (structure) => parsePoscar(writePoscar(structure)));
    else if (kind === "xyz")
      for (const structure of parseExtxyz(text)) checkAgain(structure, (each) => parseExtxyz(writeExtxyz([each]))[0]);
    else if (random() < 0.5) (await readStructures(bytes, { file: "a.json" })).forEach(check);
    else
      checkAgain(structureFromPymatgen(damaged(pick(random, JSONS), random)), (structure) =>
        structureFromPymatgen(toPymatgen(structure)),
      );
  }
}

/** A copy in which one value somewhere is another. */
function damaged(value: unknown, random: Random): unknown {
  const copy = structuredClone(value);
  let at = copy as Record<string, unknown>;
  for (;;) {
    const key = pick(random, Object.keys(at));
    const next = at[key];
    if (typeof next !== "object" || next === null || random() < 0.15 || Object.keys(next).length === 0) {
      at[key] = pick(random, [
        null,
        undefined,
        0,
        -1,
        0.25,
        1e300,
        Number.NaN,
        "",
        "Fe3+",
        "Xx",
        [],
        {},
        [1, 2, 3],
        [[0, 0, 0]],
        true,
        below(random, 130),
      ]);
      return copy;
    }
    at = next as Record<string, unknown>;
  }
}

function check({ length, numbers, positions, lattice, disorder, formula, arrays }: Structure): void {
  const sound =
    length > 0 &&
    positions.length === 3 * length &&
    positions.every(Number.isFinite) &&
    (!lattice || lattice.volume > 0) &&
    numbers.every((z, i) => (z >= 1 && z <= 118) || disorder.has(i)) &&
    formula !== "" &&
    Object.values(arrays).every((values) => values.length % length === 0);
  if (!sound) throw new Error("an unsound structure");
}

/** What was read can be written, and means the same. */
function checkAgain(structure: Structure, again: (structure: Structure) => Structure): void {
  check(structure);
  const other = again(structure);
  const size =
    structure.positions.reduce((most, x) => Math.max(most, Math.abs(x)), 1) +
    (structure.lattice?.matrix.flat().reduce((most, x) => Math.max(most, Math.abs(x)), 1) ?? 0);
  const moved = structure.positions.some((x, i) => !(Math.abs(x - other.positions[i]) <= 1e-6 * size));
  if (moved || other.numbers.join() !== structure.numbers.join()) throw new Error("it is read back as something else");
}
