import { UserError } from "../core/errors.ts";
import { sha256 } from "../core/sha256.ts";
import { CrystalGraphFeaturiser } from "./crystalGraph.ts";
import type { DatasetRows, RowFeaturiser } from "./dataset.ts";
import { ELEMENTS } from "./elements.ts";
import type { GraphData } from "./graph.ts";
import { quote } from "./open.ts";
import { PotentialDataset, writeRecord } from "./potentialDataset.ts";
import { forcesIn, virialIn } from "./potentialLabels.ts";
import { fitReferences, type References, referenceEnergy } from "./referenceEnergies.ts";
import type { Structure } from "./structure.ts";

/** How structures become graphs with energies, forces and stresses. Lengths in Å, energies in eV; nothing is converted. */
export interface PotentialSpec {
  /** Å: atoms farther apart do not see each other; all nearer ones do, in every image. */
  cutoff: number;
  /** The name of each atom's force in the files, eV/Å; undefined: energies alone are learned from. */
  forces?: string;
  /** The name of the stress, eV/Å³ (see `virialIn`). */
  stress?: string;
}

export interface PotentialJson {
  readonly version: 1;
  readonly kind: "potential";
  readonly spec: PotentialSpec;
  /** Energies of the elements by symbol, eV: the ones that the potential has learned. */
  readonly references: Readonly<Record<string, number>>;
}

/** Atoms nearer than this, Å, lie on top of each other. */
const COINCIDENT = 0.1;

/** Turns structures into graphs of all neighbours within a cutoff, and their energies into what is left of them beside the elements' own. */
export class PotentialFeaturiser implements RowFeaturiser {
  readonly width = 1;
  private readonly graphs: CrystalGraphFeaturiser;

  constructor(
    readonly spec: PotentialSpec,
    readonly references: References,
  ) {
    this.graphs = new CrystalGraphFeaturiser({
      ...{ radius: spec.cutoff, maxNeighbours: undefined, atoms: "numbers" },
    });
  }

  /** Learns the elements' energies from the rows to be learned from, or from isolated atoms (see `fitReferences`). */
  static fit(spec: PotentialSpec, rows: DatasetRows, atoms?: References): PotentialFeaturiser {
    return new PotentialFeaturiser(spec, fitReferences(structuresOf(rows), energiesOf(rows), atoms));
  }

  get hash(): string {
    return sha256(JSON.stringify(this.toJSON()));
  }

  /** Symbols of the elements that were learned from. */
  get elements(): string[] {
    return [...this.references.keys()].map(symbolOf);
  }

  /** @throws UserError naming the structure for a disordered site and for an element that was not learned from */
  check(structure: Structure): void {
    this.graphs.check(structure);
    const at = structure.numbers.findIndex((z) => !this.references.has(z));
    if (at >= 0)
      throw new UserError(
        `${structure.source}: atom ${at + 1} is ${symbolOf(structure.numbers[at])}; the potential has learned ${this.elements.join(", ")}.`,
        "Leave the structure out, or train on data that have this element.",
      );
  }

  /** The graph of a structure. @throws UserError as `check`, and for atoms on top of each other */
  graph(structure: Structure): GraphData {
    this.check(structure);
    const graph = this.graphs.graph(structure);
    checkApart(graph, structure.source);
    return graph;
  }

  /** Σ of the elements' energies, eV. */
  reference({ numbers }: Structure): number {
    return referenceEnergy(numbers, this.references);
  }

  /** @throws UserError naming frame and field for what is missing or not finite */
  dataset(rows: DatasetRows): PotentialDataset {
    const structures = structuresOf(rows);
    const graphs = structures.map((structure) => this.graph(structure));
    if (!rows.targets) return new PotentialDataset(graphs, []);
    const energies = energiesOf(rows);
    const { forces, stress } = this.spec;
    const records = structures.map((structure, i) => {
      const energy = Math.fround(energies[i] - this.reference(structure));
      if (!Number.isFinite(energy)) throw new UserError(`${structure.source}: its energy is ${energies[i]}.`);
      return writeRecord({
        ...{ atoms: structure.length, volume: stress ? structure.lattice!.volume : 0, energy },
        forces: forces === undefined ? [] : forcesIn(structure, forces),
        virial: stress === undefined ? [] : virialIn(structure, stress),
      });
    });
    return new PotentialDataset(graphs, records);
  }

  toJSON(): PotentialJson {
    const references = Object.fromEntries([...this.references].map(([z, energy]) => [symbolOf(z), energy]));
    return { version: 1, kind: "potential", spec: this.spec, references };
  }

  /** The featuriser that `toJSON` came from. @throws UserError for anything else */
  static fromJSON(json: unknown): PotentialFeaturiser {
    const { version, kind, spec, references } = (json ?? {}) as Partial<PotentialJson>;
    if (version !== 1 || kind !== "potential" || !spec || !references)
      throw new UserError("This is not a potential's featuriser, or one of a newer version of spinel.");
    const byNumber = Object.entries(references).map(([symbol, energy]): [number, number] => {
      const z = ELEMENTS.findIndex((element) => element.symbol === symbol) + 1;
      if (z === 0 || !Number.isFinite(energy))
        throw new UserError(`A potential's reference energies name ${quote(symbol)}: ${energy}.`);
      return [z, energy];
    });
    return new PotentialFeaturiser(spec, new Map(byNumber));
  }
}

/** @throws UserError for two atoms in one place */
export function checkApart({ nodes, ptr, sender, distance }: GraphData, source: string): void {
  for (let i = 0; i < nodes; i++)
    for (let e = ptr[i]; e < ptr[i + 1]; e++)
      if (!(distance![e] >= COINCIDENT))
        throw new UserError(
          `${source}: atoms ${i + 1} and ${sender[e] + 1} are ${distance![e].toPrecision(2)} Å apart: they lie on top of each other.`,
          "Remove one of them, and check the units: positions are in Å.",
        );
}

function structuresOf({ file, structures }: DatasetRows): readonly Structure[] {
  if (!structures || structures.length === 0)
    throw new UserError(`${file} has no structures.`, "A potential learns from extended xyz: atoms, energies, forces.");
  return structures;
}

function energiesOf({ file, targets }: DatasetRows): Float64Array {
  if (!targets) throw new UserError(`${file} has no energies.`);
  return targets.values;
}

const symbolOf = (z: number): string => ELEMENTS[z - 1]?.symbol ?? String(z);
