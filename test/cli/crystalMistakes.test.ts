import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeStructure } from "../../src/data/structureFiles.ts";
import { encodeSafetensors } from "../../src/io/safetensors.ts";
import { buildIfStale } from "./helpers/build.ts";
import {
  BROKEN,
  cif,
  cifFolder,
  crystal,
  frames,
  idProp,
  jsonLines,
  line,
  matbench,
  SMALL,
  write,
  zipped,
} from "./helpers/crystals.ts";
import { folder, spinel } from "./helpers/spinel.ts";
import { csv } from "./helpers/tables.ts";

/** What one does wrong with crystals gets one or two lines that name file, line or id and say what to do, and leaves nothing behind. */
const { path, remove } = folder();

const energies = (change: Record<number, string>) => idProp(({ energy }) => energy, change);
const poscar = writeStructure(crystal(7).structure, "a.vasp");

/** Each is a folder of 24 CIF files and id_prop.csv but for these files; undefined is left out. */
const FOLDERS: Record<string, Record<string, string | undefined>> = {
  good: {},
  bare: { "id_prop.csv": undefined },
  headed: { "id_prop.csv": "id,energy,gap\nx0,1,2\nx1,2,3\nx2,3,4\n" },
  absent: { "x7.cif": undefined },
  broken: { "x7.cif": BROKEN },
  cut: { "x7.cif": cif(7).slice(0, cif(7).indexOf("_atom_site_label")) },
  blank: { "x7.cif": "" },
  unknown: { "x7.cif": cif(7).replaceAll("Zn", "Qq") },
  heavy: { "x7.cif": cif(7).replaceAll("Zn", "Md") },
  shared: { "x7.cif": cif(7).replace("0.5 0.5 0.5 1", "0.5 0.5 0.5 0.7") },
  flat: { "x7.cif": cif(7).replace(/_cell_angle_alpha .*/, "_cell_angle_alpha 180") },
  nan: { "id_prop.csv": energies({ 5: "nan" }) },
  gap: { "id_prop.csv": energies({ 5: "" }) },
  word: { "id_prop.csv": energies({ 5: "high" }) },
  comma: { "id_prop.csv": energies({ 5: '"1,5"' }) },
  twice: { "id_prop.csv": `${energies({})}x3,1\n` },
  nobody: { "id_prop.csv": "" },
  both: { "x7.vasp": poscar },
  poscar: { "x7.cif": undefined, "x7.vasp": poscar.split("\n").slice(0, -2).join("\n") },
};

const FILES: Record<string, string | Uint8Array> = {
  "good.zip": zipped(cifFolder()),
  "half.zip": zipped(cifFolder()).subarray(0, 3000),
  "empty.zip": zipped({}),
  "good.jsonl": jsonLines(),
  "cut.jsonl": jsonLines().slice(0, 1000),
  "frac.jsonl": jsonLines({ 7: line(7, { frac: [[0, 0, 0]] }) }),
  "lattice.jsonl": jsonLines({
    7: line(7, {
      lattice: [
        [1, 0, 0],
        [0, 1, 0],
      ],
    }),
  }),
  "atomless.jsonl": jsonLines({ 7: line(7, { species: [], frac: [] }) }),
  "same.jsonl": jsonLines({ 7: line(7, { id: "x6" }) }),
  "huge.jsonl": jsonLines({ 7: line(7, { energy: 1e300 }) }),
  "single.jsonl": line(0),
  "volumes.jsonl": jsonLines().replaceAll('"energy"', '"volume"'),
  "third.jsonl": jsonLines({ 2: line(2, { metal: 2 }) }),
  "frames.xyz": frames(),
  "atoms.xyz": frames().split("\n").slice(0, -2).join("\n"),
  "matbench.json.gz": matbench().subarray(0, 300),
  "formulas.csv": csv(["id", "formula", "strength"]),
  "linked.csv": "id,file,energy\na,good/x0.cif,1\nb,good/x99.cif,2\n",
  "notes.txt": "Dear diary, today\nI grew a crystal.\n",
  "alone.vasp": poscar.split("\n").slice(0, -2).join("\n"),
  "vectors.txt": "1: 0 1 0",
  "few.json": '{ "1": [0, 1], "8": [1, 0] }',
  "uneven.json": '{ "1": [0, 1], "8": [1, 0, 2] }',
  "words.json": '{ "1": "abc" }',
  "numbers.json": "[1, 2]",
  "none.json": "{}",
  "symbols.json": '{ "Qq": [1, 2] }',
  "weights.safetensors": encodeSafetensors(new Map([["w", { shape: [2], data: new Float32Array(2) }]])),
};

let before: string[];
beforeAll(async () => {
  await buildIfStale();
  for (const [name, change] of Object.entries(FOLDERS)) write(join(path, name), cifFolder(change));
  write(join(path, "empty"), {});
  write(join(path, "csvs"), { "table.csv": csv(["id", "formula"]) });
  write(path, FILES);
  const small = ["--val", "good.jsonl", "--hidden", "4", "--epochs", "1", "--threads", "1", "-q"];
  const runs = await Promise.all([
    spinel(path, ["train", "cgcnn", "--data", "good", "--target", "energy", "--out", "run", ...SMALL, "-q"]),
    spinel(path, ["train", "mlp", "--data", "good.jsonl", "--target", "energy", "--out", "formulas", ...small]),
    spinel(path, [
      ...["train", "mlp", "--data", "good.jsonl", "--target", "energy", "--out", "numbers"],
      ...["--features", "none", "--numeric", "spacegroup,metal", ...small],
    ]),
  ]);
  for (const { code, stderr } of runs) expect([code, stderr]).toEqual([0, ""]);
  before = readdirSync(path);
}, 300_000);
afterAll(remove);

const train = (data: string, ...rest: string[]): string[] => [
  ...["train", "cgcnn", "--data", data, "--target", "energy", ...SMALL],
  ...rest,
];
const good = (...rest: string[]): string[] => train("good", ...rest);

const MISTAKES: [name: string, args: string[], says: RegExp][] = [
  // Which data
  ["a folder that is not there", train("goood"), /goood: there is no such file\.\n {2}Did you mean good\?/],
  ["an empty folder", train("empty"), /empty holds no structure files; it is empty\.\n {2}Expected .*id_prop\.csv/],
  ["a folder of tables", train("csvs"), /csvs holds no structure files, only table\.csv\.\n {2}If table\.csv is the/],
  ["no id_prop.csv", train("bare"), /bare has no target column "energy"\.\n {2}Add id_prop\.csv: a line id,value for/],
  ["an empty id_prop.csv", train("nobody"), /nobody\/id_prop\.csv is empty\.\n {2}Add id_prop\.csv: a line id,value/],
  ["a single CIF file", train("good/x1.cif"), /good\/x1\.cif has no target column "energy"\.\n {2}Add id_prop\.csv/],
  [
    "a table of formulas",
    train("formulas.csv"),
    /formulas\.csv holds no structures: its columns are "id", "formula", .*\n {2}A formula does not say where .*\(mlp\)/,
  ],
  ["a text of another kind", train("notes.txt"), /notes\.txt is no structure file\.\n {2}Structure files are \*\.cif/],
  ["half a zip", train("half.zip"), /half\.zip: the zip archive is cut short or damaged.*\n {2}Copy it again/],
  ["an empty zip", train("empty.zip"), /empty\.zip holds no structure files; it is empty/],
  ["half a Matbench file", train("matbench.json.gz"), /matbench\.json\.gz: the gzip data is cut short.*\n {2}Copy/],
  ["a single row", train("single.jsonl"), /single\.jsonl has too few rows \(1\).*\n {2}Use more rows/],
  // Columns
  [
    "a misspelt column",
    train("good.jsonl", "--target", "enregy"),
    /good\.jsonl has no target column "enregy"\.\n {2}Did you mean "energy"\?/,
  ],
  [
    "a column that a header does not have",
    train("headed", "--target", "gaps"),
    /headed\/id_prop\.csv has no target column "gaps"\.\n {2}Did you mean "gap"\? It has "id", "energy", "gap"/,
  ],
  [
    "a property that frames do not have",
    train("frames.xyz", "--target", "enrgy"),
    /frames\.xyz has no target column "enrgy"\.\n {2}Did you mean "energy"\?/,
  ],
  ["structures for a target", train("good.jsonl", "--target", "frac"), /"frac" cannot be both structure and target/],
  // Rows
  [
    "NaN in the target",
    train("nan"),
    /nan\/id_prop\.csv: values are missing in 1 of 24 rows: line 6 .*\n.*--drop-missing/,
  ],
  ["an empty target", train("gap"), /gap\/id_prop\.csv: values are missing in 1 of 24 rows: line 6 "energy"/],
  ["a word for a number", train("word"), /word\/id_prop\.csv:6: column "energy" holds "high", which is not a finite/],
  ["a decimal comma", train("comma"), /comma\/id_prop\.csv:6: .*\n {2}A decimal comma\? Numbers need a point: 1\.5/],
  ["a number beyond f32", train("huge.jsonl"), /huge\.jsonl:8: column "energy" is 1e\+300, too large.*\n {2}Give/],
  ["two rows with one id", train("twice"), /twice\/id_prop\.csv: lines 4 and 25 have the same id "x3".*\n.*remove one/],
  ["two lines with one id", train("same.jsonl"), /same\.jsonl: lines 7 and 8 have the same id "x6"/],
  [
    "two files for one id",
    train("both"),
    /both\/id_prop\.csv:8: "x7" may be both\/x7\.cif or both\/x7\.vasp\.\n {2}Keep one/,
  ],
  [
    "a structure file that is not there",
    train("absent"),
    /absent\/id_prop\.csv:8: there is no structure file for "x7"\.\n {2}Expected x7\.cif, .*\(--skip-bad\)/,
  ],
  [
    "a file that a table names and that is not there",
    train("linked.csv"),
    /good\/x99\.cif: there is no such file\.\n {2}Did you mean good\/x19\.cif\?.*--skip-bad/,
  ],
  // Structures
  [
    "one bad number among 24 files",
    train("broken"),
    /broken\/x7\.cif:22: _atom_site_fract_y is "O\.5": not a number\.\n {2}Correct it, or leave it out \(--skip-bad\)/,
  ],
  ["a CIF file cut short", train("cut"), /cut\/x7\.cif.*\n.*--skip-bad/],
  ["an empty CIF file", train("blank"), /blank\/x7\.cif.*\n.*--skip-bad/],
  [
    "an unknown element",
    train("unknown"),
    /unknown\/x7\.cif:21: _atom_site_type_symbol is "Qq": no element\.\n.*--skip-bad/,
  ],
  ["an element beyond fermium", train("heavy"), /heavy\/x7\.cif: CGCNN has no vector for .*fermium\.\n.*one-hot/],
  [
    "a site that is partly empty",
    train("shared"),
    /shared\/x7\.cif: site 2 is .*partly empty; .*\n {2}Make an ordered/,
  ],
  ["a cell without volume", train("flat"), /flat\/x7\.cif.*angle.*180.*\n.*--skip-bad/],
  ["a POSCAR cut short", train("poscar"), /poscar\/x7\.vasp:\d+: the file ends before .*\n.*--skip-bad/],
  ["frames cut short", train("atoms.xyz"), /atoms\.xyz:\d+: the file ends after 1 of the 2 atoms .*\n {2}Was it cut/],
  ["JSON lines cut short", train("cut.jsonl"), /cut\.jsonl:\d+:\d+: not JSON/],
  ["fewer coordinates than atoms", train("frac.jsonl"), /frac\.jsonl:8 \(x7\): 2 atoms in "species", but 1 in "frac"/],
  ["two lattice vectors", train("lattice.jsonl"), /lattice\.jsonl:8 \(x7\): the lattice .* is not three rows of three/],
  ["no atoms", train("atomless.jsonl"), /atomless\.jsonl:8 \(x7\): "species" is "\[\]", not a list .*\n.*--skip-bad/],
  // Options
  ["a radius of 0", good("--radius", "0"), /--radius must be a number above 0, not 0/],
  ["no neighbours", good("--max-neighbours", "0"), /--max-neighbours "0": a whole number ≥ 1 is needed/],
  ["a width that kernels do not have", good("--atom-fea-len", "7"), /--atom-fea-len must be a multiple of 4, not 7/],
  ["an unknown kind of shells", good("--shells", "half"), /--shells "half": allowed choices are cut, whole/],
  ["hidden layers", good("--hidden", "8,8"), /--hidden is for mlp, .*; the model is cgcnn\.\n {2}Leave it out/],
  ["features of a formula", good("--features", "magpie"), /--features is for mlp and elemnet; the model is cgcnn/],
  ["numeric columns", good("--numeric", "gap"), /--numeric is for mlp; cgcnn learns from structures alone/],
  [
    "a radius for formulas",
    ["train", "mlp", "--data", "good", "--target", "y", "--radius", "5"],
    /--radius is for cgcnn/,
  ],
  ["more folds than rows", good("--folds", "25"), /25 folds of 24 samples.*\n {2}Use at most 24/],
  [
    "a validation file without the target",
    good("--val", "volumes.jsonl"),
    /volumes\.jsonl has no target column "energy"/,
  ],
  ["a test folder without targets", good("--test", "bare"), /bare has no target column "energy"\.\n {2}Add id_prop/],
  [
    "a validation file of formulas",
    good("--val", "formulas.csv", "--target", "energy"),
    /formulas\.csv holds no structures/,
  ],
  [
    "a class that training does not know",
    train("good.jsonl", "--target", "metal", "--val", "third.jsonl"),
    /third\.jsonl:3: column "metal" holds "2", which is none of the classes\.\n {2}They are "0", "1"/,
  ],
  [
    "the embedded data's other target",
    train("embedded:crystals"),
    /embedded:crystals has no column "energy"\.\n {2}Its target is "energy_per_atom"/,
  ],
  [
    "formulas that are embedded",
    train("embedded:ionic", "--target", "lattice energy"),
    /embedded:ionic has formulas and no structures\.\n {2}Use/,
  ],
  // Atom vectors
  [
    "atom vectors that are no JSON",
    good("--atom-vectors", "vectors.txt"),
    /vectors\.txt is not JSON: .*\n {2}Atom vectors are/,
  ],
  ["atom vectors in a list", good("--atom-vectors", "numbers.json"), /numbers\.json holds no atom vectors\.\n {2}Atom/],
  ["no atom vectors", good("--atom-vectors", "none.json"), /none\.json holds no atom vectors\.\n {2}Atom vectors are/],
  ["words for atom vectors", good("--atom-vectors", "words.json"), /words\.json: .* H is not a list of numbers/],
  ["a vector for no element", good("--atom-vectors", "symbols.json"), /symbols\.json: .*"Qq" is neither a symbol/],
  [
    "vectors of two lengths",
    good("--atom-vectors", "uneven.json"),
    /uneven\.json: .* O has 3 numbers, other elements 2/,
  ],
  [
    "an element without a vector",
    good("--atom-vectors", "few.json"),
    /good\/x\d+\.cif: .* none for \w+\.\n {2}Add one/,
  ],
  ["atom vectors that are not there", good("--atom-vectors", "cgnn"), /Cannot read cgnn: there is no such file/],
  // Other commands
  ["formulas for a crystal model", ["predict", "run", "formulas.csv"], /formulas\.csv holds no structures/],
  ["a text for a crystal model", ["predict", "run", "notes.txt"], /notes\.txt is no structure file/],
  ["an empty folder for a crystal model", ["predict", "run", "empty"], /empty holds no structure files; it is empty/],
  [
    "structures for a model of numbers",
    ["predict", "numbers", "good/x1.cif"],
    /good\/x1\.cif has no numeric column "spacegroup"\.\n {2}It has "id"/,
  ],
  [
    "weights without a model",
    ["predict", "weights.safetensors", "good"],
    /holds weights but no spinel model\.\n {2}Give/,
  ],
  ["a CIF file for a model", ["predict", "good/x1.cif", "run"], /good\/x1\.cif is not a model\.\n {2}Give the model/],
  ["a folder for a model", ["predict", "good", "run"], /good is no run with a model: it holds no model\.safetensors/],
  [
    "nothing that can be predicted",
    ["predict", "run", "broken/x7.cif", "--skip-bad"],
    /\nspinel: Every row was left out/,
  ],
  ["the graph of a text", ["graph", "notes.txt"], /notes\.txt is no structure file\.\n {2}Structure files are/],
  ["the graph of a formula", ["graph", "formulas.csv"], /formulas\.csv holds no structures/],
  ["the graph of a model", ["graph", "run/model.safetensors"], /model\.safetensors is no structure file/],
  ["the graph of half a POSCAR", ["graph", "alone.vasp"], /alone\.vasp:\d+: the file ends before the last of its 2/],
  ["a graph with a radius of 0", ["graph", "good/x1.cif", "--radius", "0"], /--radius must be above 0 Å, not 0/],
  [
    "a drawing of many",
    ["graph", "good", "--html", "a.html"],
    /good holds 24 structures; --html draws one\.\n {2}Give/,
  ],
  ["info on an empty folder", ["info", "empty"], /empty holds no structure files; it is empty/],
  [
    "another radius for a run to go on with",
    ["train", "--resume", "--out", "run", "--radius", "5"],
    /--resume: --radius is 5 now but 8 in run\/config\.json\.\n {2}A resumed run keeps its settings/,
  ],
];

describe.concurrent("a mistake gets one or two lines", () => {
  test.each(MISTAKES)("%s", async (_name, args, says) => {
    const { code, stdout, stderr } = await spinel(path, args);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^(left out: .+\n)?spinel: .+\n(.+\n){0,1}$/);
    expect(stderr).not.toMatch(/\n\s+at |spinel: spinel|should not happen/);
    expect([code, stdout]).toEqual([1, ""]);
  });
});

test("nothing was left behind", () => {
  expect(readdirSync(path)).toEqual(before);
});
