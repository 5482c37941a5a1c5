import { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { init } from "../core/parallel.ts";
import { CGCNN_GRAPH } from "../data/crystalGraph.ts";
import { readCrystals } from "../data/crystals.ts";
import { ELEMENTS } from "../data/elements.ts";
import { type NeighbourList, neighbourList } from "../data/neighbours.ts";
import type { Structure } from "../data/structure.ts";
import { natural, number } from "./options.ts";

interface Flags {
  radius: number;
  maxNeighbours: number;
  shells: "cut" | "whole";
  atoms: number;
  json?: boolean;
}

export function graphCommand(): Command {
  const { radius, maxNeighbours, shells } = CGCNN_GRAPH;
  return new Command("graph")
    .summary("show a structure's graph: neighbours, distances, degree")
    .description(
      "Prints the graph that a crystal model makes of a structure: for each atom its neighbours in shells of equal distance.",
    )
    .argument("<file>", "a structure, or several: CIF, POSCAR, extended xyz, JSON, a folder, a zip")
    .option("--radius <Å>", `atoms farther apart are no neighbours (${radius})`, number, radius)
    .option(
      "--max-neighbours <n>",
      `of an atom, the nearest ones; 0: all within the radius (${maxNeighbours})`,
      countOrAll,
      maxNeighbours,
    )
    .option("--shells <kind>", `cut equally distant neighbours off, or keep whole shells (${shells})`, shellsOf, shells)
    .option("--atoms <n>", "atoms to print of each structure (20)", natural, 20)
    .option("--json", "a JSON line for each structure, with all its edges")
    .addHelpText("after", "\nExamples:\n  spinel graph NaCl.cif\n  spinel graph POSCAR --radius 5 --shells whole")
    .action(graph);
}

const countOrAll = (text: string): number => (text === "0" ? 0 : natural(text));

function shellsOf(text: string): "cut" | "whole" {
  if (text !== "cut" && text !== "whole") throw new UserError(`--shells "${text}": there are cut and whole.`);
  return text;
}

async function graph(file: string, { json, atoms, ...options }: Flags): Promise<void> {
  if (!(options.radius > 0)) throw new UserError(`--radius must be above 0 Å, not ${options.radius}.`);
  await init({ threads: 1 });
  const { structures, ids } = await readCrystals(file);
  const { radius: cutoff, shells } = options;
  const maxNeighbours = options.maxNeighbours || undefined;
  structures!.forEach((structure, row) => {
    const list = neighbourList(structure, { cutoff, maxNeighbours, shells });
    const text = json
      ? `${JSON.stringify({ id: ids[row], ...graphJson(structure, list) })}\n`
      : `${row > 0 ? "\n" : ""}${describe(ids[row], structure, list, atoms)}`;
    process.stdout.write(text);
  });
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
  const { ptr, distance } = list;
  const degrees = Array.from(structure.numbers, (_, i) => ptr[i + 1] - ptr[i]);
  const isolated = degrees.filter((degree) => degree === 0).length;
  const range = (values: ArrayLike<number>, digits: number): string => {
    const [low, high] = [Math.min(...Array.from(values)), Math.max(...Array.from(values))].map((x) =>
      x.toFixed(digits),
    );
    return low === high ? low : `${low} … ${high}`;
  };
  const lines = [
    `${id}: ${[structure.formula, ...facts(structure)].join(", ")}`,
    `  ${structure.length} atoms, ${distance.length} edges; degree ${range(degrees, 0)}${distance.length ? `; distance ${range(distance, 3)} Å` : ""}`,
    ...(isolated > 0 ? [`  ${isolated} ${isolated === 1 ? "atom has" : "atoms have"} no neighbour`] : []),
    ...Array.from(structure.numbers.subarray(0, most), (z, i) => atomLine(structure, list, z, i)),
  ];
  if (structure.length > most) lines.push(`  … ${structure.length - most} more atoms (--atoms, --json)`);
  return `${lines.join("\n")}\n`;
}

function facts({ lattice, spaceGroup }: Structure): string[] {
  if (!lattice) return ["no lattice"];
  const { a, b, c, alpha, beta, gamma } = lattice.parameters;
  const cell = `${[a, b, c].map((x) => x.toFixed(4)).join(" × ")} Å, ${[alpha, beta, gamma].map((x) => x.toFixed(2)).join(" ")}°`;
  return [...(spaceGroup ? [`space group ${spaceGroup}`] : []), cell];
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
