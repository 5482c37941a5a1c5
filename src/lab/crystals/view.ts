import { UserError } from "../../core/errors.ts";
import { ELEMENTS } from "../../data/elements.ts";
import type { Matrix3 } from "../../data/lattice.ts";
import { closestPair, neighbourList } from "../../data/neighbours.ts";
import { spaceGroupSettings } from "../../data/spaceGroups.ts";
import type { Occupant, Structure } from "../../data/structure.ts";
import { type GraphSettings, neighbourOptions } from "./config.ts";

/** A structure and its neighbours as plain data. */
export interface CrystalView {
  formula: string;
  numbers: Int32Array;
  /** Cartesian, Å [atoms · 3]. */
  positions: Float64Array;
  lattice?: Matrix3;
  periodic: readonly [boolean, boolean, boolean];
  disorder: [number, readonly Occupant[]][];
  /** Of each atom: "Na", or "Fe0.5Ni0.5" where elements share the site. */
  names: string[];
  /** What is known of it, in the order to be shown. */
  facts: [name: string, value: string][];
  /** Those of atom i are the entries ptr[i] … ptr[i + 1] − 1, nearest first. */
  neighbours: { ptr: Int32Array; index: Int32Array; image: Int32Array; distance: Float64Array };
  /** What people should know of these neighbours. */
  remark?: string;
}

/** g/mol in a cube of 1 Å are so many g/cm³. */
const DENSITY = 1.6605390666;

export function viewOf(structure: Structure, settings: GraphSettings): CrystalView {
  const { formula, numbers, positions, lattice, periodic, disorder, length } = structure;
  let remark: string | undefined;
  let neighbours: CrystalView["neighbours"] = {
    ...{ ptr: new Int32Array(length + 1), index: new Int32Array(0), image: new Int32Array(0) },
    distance: new Float64Array(0),
  };
  try {
    const list = neighbourList(structure, neighbourOptions(settings));
    const { ptr, index, image, distance } = list;
    neighbours = { ptr, index, image, distance };
    const pair = closestPair(list);
    const least = pair ? pair.distance : Infinity;
    if (pair && least < TOO_NEAR)
      remark = `Atoms ${pair.receiver + 1} and ${pair.sender + 1} are only ${least.toFixed(2)} Å apart.`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    remark = error.message;
  }
  const names = Array.from(numbers, (z, i) =>
    z > 0
      ? symbol(z)
      : disorder
          .get(i)!
          .map(({ number, occupancy }) => `${symbol(number)}${occupancy}`)
          .join(""),
  );
  return {
    ...{ formula, numbers, positions, lattice: lattice?.matrix, periodic, disorder: [...disorder], names },
    ...{ facts: factsOf(structure), neighbours, remark },
  };
}

/** No two atoms of a crystal are nearer than those of H₂. Å. */
const TOO_NEAR = 0.7;

const symbol = (z: number): string => ELEMENTS[z - 1].symbol;

function factsOf({
  formula,
  lattice,
  periodic,
  spaceGroup,
  numbers,
  disorder,
  length,
}: Structure): CrystalView["facts"] {
  const facts: CrystalView["facts"] = [["Formula", formula]];
  const kind = ["Molecule", "Chain", "Slab", "Crystal"][periodic.filter(Boolean).length];
  const symbols = spaceGroup === undefined ? [] : spaceGroupSettings(spaceGroup);
  if (spaceGroup !== undefined)
    facts.push(["Space group", `${symbols[0]?.symbol.replace(/:.*/, "").replaceAll("-", "−") ?? ""} (${spaceGroup})`]);
  else if (kind === "Crystal") facts.push(["Space group", "not given"]);
  if (kind !== "Crystal") facts.push(["Kind", kind]);
  if (lattice) {
    const { a, b, c, alpha, beta, gamma } = lattice.parameters;
    facts.push(["a, b, c", `${[a, b, c].map((x) => x.toFixed(3)).join(", ")} Å`]);
    facts.push(["α, β, γ", `${[alpha, beta, gamma].map((x) => x.toFixed(1)).join(", ")}°`]);
    facts.push(["Volume", `${lattice.volume.toFixed(2)} Å³`]);
  }
  if (lattice && kind === "Crystal") {
    const weight = (z: number): number => ELEMENTS[z - 1].weight;
    let mass = 0;
    numbers.forEach((z, i) => {
      if (z > 0) mass += weight(z);
      else for (const { number, occupancy } of disorder.get(i)!) mass += occupancy * weight(number);
    });
    facts.push(["Density", `${((DENSITY * mass) / lattice.volume).toFixed(3)} g/cm³`]);
  }
  facts.push(["Atoms", disorder.size > 0 ? `${length}, ${disorder.size} of them on shared sites` : String(length)]);
  return facts;
}
