import type { Batch, LabelledDataset } from "./dataset.ts";
import { Graph, type GraphData } from "./graph.ts";

/**
 * What is known, or predicted, of one structure, as a flat record of f32, so that structures of any number of atoms stand behind
 * each other: [atoms, volume, energy, forces [3 · atoms], virial [6]].
 */
export interface PotentialRecord {
  atoms: number;
  /** Å³; 0 where it plays no part. */
  volume: number;
  /** eV, without the elements' reference energies. */
  energy: number;
  /** eV/Å [3 · atoms]; empty where there are none. */
  forces: Float32Array;
  /** Stress · volume, eV, in Voigt's order [6]; empty where there is none. */
  virial: Float32Array;
}

/** Which parts the records of a data set have. */
export interface RecordParts {
  forces: boolean;
  stress: boolean;
}

const HEAD = 3;

export function writeRecord(
  record: {
    [K in keyof PotentialRecord]: PotentialRecord[K] extends number ? number : ArrayLike<number>;
  },
): Float32Array<ArrayBuffer> {
  const { atoms, volume, energy, forces, virial } = record;
  const out = new Float32Array(HEAD + forces.length + virial.length);
  out.set([atoms, volume, energy]);
  out.set(forces, HEAD);
  out.set(virial, HEAD + forces.length);
  return out;
}

/** The records that stand behind each other in `values`; their arrays are views. */
export function readRecords(values: Float32Array, { forces, stress }: RecordParts): PotentialRecord[] {
  const records: PotentialRecord[] = [];
  for (let at = 0; at < values.length; ) {
    const [atoms, volume, energy] = values.subarray(at, at + HEAD);
    const middle = at + HEAD + (forces ? 3 * atoms : 0);
    const end = middle + (stress ? 6 : 0);
    records.push({
      ...{ atoms, volume, energy },
      forces: values.subarray(at + HEAD, middle),
      virial: values.subarray(middle, end),
    });
    at = end;
  }
  return records;
}

/** Structures as graphs, with energies, forces and stresses as flat records. */
export class PotentialDataset implements LabelledDataset {
  /** Numbers that a network gives for a structure: its energy. */
  readonly outputs = 1;
  /** All records. */
  readonly y: Float32Array;

  /** `records`: of each graph; none where there is nothing to learn from. */
  constructor(
    readonly graphs: readonly GraphData[],
    private readonly records: readonly Float32Array[],
  ) {
    this.y = joined(records);
  }

  get length(): number {
    return this.graphs.length;
  }

  /** As many structures as the largest graph allows: the tape keeps all that forces are computed from. */
  get inferenceBatch(): number {
    const largest = this.graphs.reduce((most, { nodes, edges }) => Math.max(most, edges, 8 * nodes), 1);
    return Math.min(256, Math.max(1, Math.floor(INFERENCE_EDGES / largest)));
  }

  /** Atoms without any neighbour, over all structures. */
  get isolated(): number {
    let count = 0;
    for (const { nodes, ptr } of this.graphs) for (let i = 0; i < nodes; i++) if (ptr[i] === ptr[i + 1]) count++;
    return count;
  }

  /** inputs: [the structures of these rows as one `Graph`]; targets: their records. */
  batch(rows: Int32Array): Batch {
    const graph = Graph.batch(Array.from(rows, (row) => this.graphs[row]));
    return { inputs: [graph], targets: joined(Array.from(rows, (row) => this.records[row] ?? EMPTY)) };
  }
}

/** Edges at once where nothing is learned: some 300 MB with vectors of 128 numbers. */
const INFERENCE_EDGES = 1 << 15;
const EMPTY = new Float32Array();

function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
