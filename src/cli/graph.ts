import { Command, Option } from "commander";
import { UserError } from "../core/errors.ts";
import { init } from "../core/parallel.ts";
import { CGCNN_GRAPH } from "../data/crystalGraph.ts";
import { readCrystalRows, readCrystals } from "../data/crystals.ts";
import { ELEMENTS } from "../data/elements.ts";
import type { Lattice } from "../data/lattice.ts";
import { type NeighbourList, neighbourList } from "../data/neighbours.ts";
import type { Structure } from "../data/structure.ts";
import { writeAtomic } from "../io/files.ts";
import { renderStructure } from "../train/report.ts";
import { natural, number } from "./options.ts";
import { tellDropped } from "./rows.ts";

interface Flags {
  radius: number;
  maxNeighbours: number;
  shells: "cut" | "whole";
  atoms: number;
  json?: boolean;
  html?: string;
  skipBad?: boolean;
}

export function graphCommand(): Command {
  const { radius, maxNeighbours, shells } = CGCNN_GRAPH;
  return new Command("graph")
    .summary("a structure's graph: neighbours, distances")
    .description(
      "Prints the graph that a crystal model makes of a structure: for each atom its neighbours in shells of equal distance.",
    )
    .argument("<file>", "a structure, or several: CIF, POSCAR, extended xyz, JSON, a folder, a zip")
    .option("--radius <Å>", "atoms farther apart are no neighbours", number, radius)
    .option("--max-neighbours <n>", "of an atom, the nearest ones; 0: all within the radius", countOrAll, maxNeighbours)
    .addOption(
      new Option("--shells <kind>", "cut equally distant neighbours off, or keep whole shells")
        .choices(["cut", "whole"])
        .default(shells),
    )
    .option("--atoms <n>", "atoms to print of each structure", natural, 20)
    .option("--json", "a JSON line for each structure, with all its edges")
    .option("--html <file>", "draw it in 3-D: a page that works offline")
    .option("--skip-bad", "leave out structures that cannot be read, and say so")
    .addHelpText(
      "after",
      "\nExamples:\n  spinel graph NaCl.cif\n  spinel graph POSCAR --radius 5 --shells whole\n  spinel graph NaCl.cif --html NaCl.html",
    )
    .action(graph);
}

const countOrAll = (text: string): number => (text === "0" ? 0 : natural(text));

async function graph(file: string, { json, html, atoms, skipBad, ...options }: Flags): Promise<void> {
  if (!(options.radius > 0)) throw new UserError(`--radius must be above 0 Å, not ${options.radius}.`);
  await init({ threads: 1 });
  const how = { cutoff: options.radius, maxNeighbours: options.maxNeighbours || undefined, shells: options.shells };
  if (html !== undefined) {
    const { structures = [], ids } = await readCrystals(file, { skipBad });
    if (structures.length > 1)
      throw new UserError(`${file} holds ${structures.length} structures; --html draws one.`, "Give a file with one.");
    await draw(html, ids[0], structures[0], neighbourList(structures[0], how));
    return;
  }
  let count = 0;
  for await (const table of readCrystalRows(file, { skipBad, batch: 1 })) {
    tellDropped(table);
    const { structures = [], ids } = table;
    for (const [row, structure] of structures.entries()) {
      const list = neighbourList(structure, how);
      if (json) process.stdout.write(`${JSON.stringify({ id: ids[row], ...graphJson(structure, list) })}\n`);
      else process.stdout.write(`${count++ > 0 ? "\n" : ""}${describe(ids[row], structure, list, atoms)}`);
    }
  }
}

/** Writes the page. */
async function draw(file: string, id: string, structure: Structure, list: NeighbourList): Promise<void> {
  const { ptr, index, image } = list;
  const edges = Array.from(structure.numbers, (_, i) =>
    Array.from({ length: ptr[i + 1] - ptr[i] }, (_, k) => {
      const e = ptr[i] + k;
      return [i, index[e], image[3 * e], image[3 * e + 1], image[3 * e + 2]] as const;
    }),
  ).flat();
  const { numbers, positions, lattice, periodic, disorder, formula } = structure;
  const { spaceGroup, isolated, ...rest } = factsOf(structure, list);
  const named = { "space group": spaceGroup, ...rest, "atoms without neighbour": isolated };
  const facts = Object.entries(named).filter((fact): fact is [string, string] => fact[1] !== undefined);
  const page = await renderStructure({
    ...{ id, formula, facts },
    structure: { numbers, positions, lattice, periodic, disorder, edges },
    atoms: Array.from(numbers, (z, i) => atomLine(structure, list, z, i)),
  });
  await writeAtomic(file, page);
  process.stderr.write(`${formula} and its graph are drawn in ${file}\n`);
}

/** Everything about the graph, for programs. */
function graphJson(structure: Structure, { ptr, index, image, vector, distance }: NeighbourList): object {
  const { lattice, numbers, positions, periodic, spaceGroup } = structure;
  return {
    formula: structure.formula,
    spaceGroup,
    lattice: lattice?.matrix,
    periodic,
    species: Array.from(numbers, symbol),
    positions: triples(positions),
    degree: Array.from(numbers, (_, i) => ptr[i + 1] - ptr[i]),
    edges: Array.from(numbers, (_, i) =>
      Array.from({ length: ptr[i + 1] - ptr[i] }, (_, k) => {
        const e = ptr[i] + k;
        const three = <T>(values: ArrayLike<T>): T[] => [values[3 * e], values[3 * e + 1], values[3 * e + 2]];
        return { receiver: i, sender: index[e], image: three(image), vector: three(vector), distance: distance[e] };
      }),
    ).flat(),
  };
}

const symbol = (z: number): string => ELEMENTS[z - 1]?.symbol ?? "mixed";

const triples = (values: Float64Array): number[][] =>
  Array.from({ length: values.length / 3 }, (_, i) => [...values.subarray(3 * i, 3 * i + 3)]);

/** The structure in one line, its graph in another, then its atoms. */
function describe(id: string, structure: Structure, list: NeighbourList, most: number): string {
  const { spaceGroup, cell, atoms, edges, degree, distance, isolated } = factsOf(structure, list);
  const first = [structure.formula, ...(spaceGroup ? [`space group ${spaceGroup}`] : []), cell];
  const lines = [
    `${id}: ${first.join(", ")}`,
    `  ${atoms} atoms, ${edges} edges; degree ${degree}${distance ? `; distance ${distance}` : ""}`,
    ...(isolated ? [`  ${isolated} ${isolated === "1" ? "atom has" : "atoms have"} no neighbour`] : []),
    ...Array.from(structure.numbers.subarray(0, most), (z, i) => atomLine(structure, list, z, i)),
  ];
  if (structure.length > most) lines.push(`  … ${structure.length - most} more atoms (--atoms, --json)`);
  return `${lines.join("\n")}\n`;
}

/** Structure and graph in numbers; undefined where there is nothing to say. */
function factsOf({ lattice, spaceGroup, numbers }: Structure, { ptr, distance }: NeighbourList) {
  const degrees = Array.from(numbers, (_, i) => ptr[i + 1] - ptr[i]);
  const isolated = degrees.filter((degree) => degree === 0).length;
  return {
    spaceGroup: spaceGroup && String(spaceGroup),
    cell: cellText(lattice),
    atoms: String(numbers.length),
    edges: String(distance.length),
    degree: range(degrees, 0),
    distance: distance.length > 0 ? `${range(distance, 3)} Å` : undefined,
    isolated: isolated > 0 ? String(isolated) : undefined,
  };
}

/** "1.000 … 2.000". Not by spreading: there may be millions. */
function range(values: ArrayLike<number>, digits: number): string {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
  const [from, to] = [low.toFixed(digits), high.toFixed(digits)];
  return from === to ? from : `${from} … ${to}`;
}

function cellText(lattice: Lattice | undefined): string {
  if (!lattice) return "no lattice";
  const { a, b, c, alpha, beta, gamma } = lattice.parameters;
  return `${[a, b, c].map((x) => x.toFixed(4)).join(" × ")} Å, ${[alpha, beta, gamma].map((x) => x.toFixed(2)).join(" ")}°`;
}

/** "  1 Na   6 Cl 2.820 Å, 12 Na 3.988 Å" */
function atomLine({ numbers }: Structure, { ptr, index, distance }: NeighbourList, z: number, i: number): string {
  const shells: { z: number; distance: number; count: number }[] = [];
  for (let e = ptr[i]; e < ptr[i + 1]; e++) {
    const other = numbers[index[e]];
    const same = shells.find((s) => s.z === other && distance[e] - s.distance < SHELL);
    if (same) same.count++;
    else shells.push({ z: other, distance: distance[e], count: 1 });
  }
  const text = shells.map((s) => `${s.count} ${symbol(s.z)} ${s.distance.toFixed(3)} Å`);
  const shown = text.length > 6 ? [...text.slice(0, 6), `… (${text.length} shells)`] : text;
  return `  ${String(i + 1).padStart(4)} ${symbol(z).padEnd(2)}  ${shown.join(", ") || "no neighbour"}`;
}

/** Distances that are printed as one, Å. */
const SHELL = 0.01;
