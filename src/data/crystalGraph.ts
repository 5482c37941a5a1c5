import { UserError } from "../core/errors.ts";
import { sha256 } from "../core/sha256.ts";
import { emit } from "../core/tensor.ts";
import { atomVector92 } from "./atomVector.ts";
import { type Batch, type DatasetRows, type LabelledDataset, type RowFeaturiser, targetsOf } from "./dataset.ts";
import { ELEMENTS } from "./elements.ts";
import { ATOMS, SUBSTANCES } from "./elementTable.ts";
import { Graph, type GraphData, pairsOf, sortByEnd } from "./graph.ts";
import { neighbourList } from "./neighbours.ts";
import type { Structure } from "./structure.ts";
import { symmetricNeighbours } from "./symmetricNeighbours.ts";

/** How a structure becomes a graph: which atoms are neighbours, and what a network is told of an atom. */
export interface CrystalGraphSpec {
  /** Å: atoms farther apart are no neighbours. */
  radius: number;
  /** Of an atom, the nearest ones; undefined: all within the radius. */
  maxNeighbours?: number;
  /** Whether neighbours as far away as the last one are cut off by `maxNeighbours`, as CGCNN's authors do, or kept. */
  shells: "cut" | "whole";
  /**
   * Where an atom has fewer neighbours than `maxNeighbours`: "mask" leaves it so; "paper" fills up with edges from the structure's
   * first atom at radius + 1 Å, which is what the authors' code computes.
   */
  pads: "mask" | "paper";
  /**
   * What a network is told of an atom: CGCNN's 92 bits, one of 118 (a learned embedding once it is multiplied by a weight), the user's
   * own vectors, or its number alone, for networks that learn an embedding of the elements.
   */
  atoms: "cgcnn" | "onehot" | "numbers" | Readonly<Record<string, readonly number[]>>;
  /** Every edge has its reverse, and every atom `maxNeighbours` at least, however far off: ALIGNN's graphs, of whole shells. */
  symmetric?: boolean;
  /** Atomic numbers that the network has learned; structures with others are refused. Undefined: any. */
  known?: readonly number[];
}

export interface CrystalGraphJson {
  readonly version: 1;
  readonly kind: "crystalGraph";
  readonly spec: CrystalGraphSpec;
  /** SHA-256 of the table of the elements, where the vectors depend on it. */
  readonly elements: string | null;
}

export const CGCNN_GRAPH: CrystalGraphSpec = {
  radius: 8,
  maxNeighbours: 12,
  shells: "cut",
  pads: "mask",
  atoms: "cgcnn",
};

const WIDTH = { cgcnn: 92, onehot: ELEMENTS.length, numbers: 1 };

/** Turns structures into graphs, always in the same way. */
export class CrystalGraphFeaturiser implements RowFeaturiser {
  readonly spec: CrystalGraphSpec;
  /** Numbers that describe an atom. */
  readonly width: number;
  private readonly vectors = new Map<number, Float32Array>();

  /** @throws UserError for a radius ≤ 0, for no neighbours, and for vectors of different lengths */
  constructor(spec: Partial<CrystalGraphSpec> = {}) {
    this.spec = { ...CGCNN_GRAPH, ...spec };
    const { radius, maxNeighbours, atoms } = this.spec;
    if (!(radius > 0 && Number.isFinite(radius))) throw new UserError(`The radius must be above 0 Å, not ${radius}.`);
    if (maxNeighbours !== undefined && !(Number.isInteger(maxNeighbours) && maxNeighbours >= 1))
      throw new UserError(`maxNeighbours must be a whole number ≥ 1, not ${maxNeighbours}.`);
    if (this.spec.symmetric && (this.spec.shells !== "whole" || this.spec.pads !== "mask"))
      throw new UserError('A symmetric graph keeps whole shells and fills nothing up: shells "whole", pads "mask".');
    if (typeof atoms !== "string") for (const [key, values] of Object.entries(atoms)) this.take(key, values);
    if (typeof atoms !== "string" && this.vectors.size === 0) throw new UserError("Atom vectors: there are none.");
    this.width = typeof atoms === "string" ? WIDTH[atoms] : this.vectors.values().next().value!.length;
  }

  /** The vector of one element from the user's table. */
  private take(key: string, values: readonly number[]): void {
    const z = ELEMENTS[Number(key) - 1] ? Number(key) : ELEMENTS.findIndex(({ symbol }) => symbol === key) + 1;
    if (z === 0) throw new UserError(`Atom vectors: "${key}" is neither a symbol nor an atomic number.`);
    if (!Array.isArray(values) || values.length === 0 || !values.every(Number.isFinite))
      throw new UserError(`Atom vectors: that of ${ELEMENTS[z - 1].symbol} is not a list of numbers.`);
    const [other] = this.vectors.values();
    if (other && other.length !== values.length)
      throw new UserError(
        `Atom vectors: ${ELEMENTS[z - 1].symbol} has ${values.length} numbers, other elements ${other.length}.`,
      );
    this.vectors.set(z, Float32Array.from(values));
  }

  /** Equal hashes make equal graphs of equal structures. */
  get hash(): string {
    return sha256(JSON.stringify(this.toJSON()));
  }

  /** @throws UserError naming the structure for a disordered site and for an element without a vector */
  check({ disorder, numbers, source }: Structure): void {
    for (const [site] of disorder)
      throw new UserError(
        `${source}: site ${site + 1} is shared by several elements or partly empty; a crystal graph needs one atom on each site.`,
        "Make an ordered structure of it, or leave it out (--skip-bad).",
      );
    const { atoms, known } = this.spec;
    for (const z of new Set(numbers)) {
      if (known && !known.includes(z))
        throw new UserError(
          `${source}: the network has not learned ${ELEMENTS[z - 1].symbol}.`,
          "Leave it out (--skip-bad), or use a network that has.",
        );
      if (atoms !== "numbers") this.vectorOf(z, source);
    }
  }

  /** The graph of a structure; made once for equal structures. @throws UserError as `check` */
  graph(structure: Structure): GraphData {
    this.check(structure);
    const key = `${this.graphKey} ${contentHash(structure)}`;
    const known = cache.get(key);
    if (known) return known;
    const made = this.make(structure);
    remember(key, made);
    return made;
  }

  /** Of the part of the specification that neighbours depend on. */
  private get graphKey(): string {
    const { radius, maxNeighbours, shells, pads, atoms, symmetric } = this.spec;
    return JSON.stringify([radius, maxNeighbours, shells, pads, atoms === "numbers", symmetric]);
  }

  private make(structure: Structure): GraphData {
    const { radius, maxNeighbours, shells, pads, symmetric } = this.spec;
    const found =
      symmetric && maxNeighbours !== undefined
        ? symmetricNeighbours(structure, { cutoff: radius, maxNeighbours })
        : neighbourList(structure, { cutoff: radius, maxNeighbours, shells });
    const count = structure.length;
    const k = pads === "paper" ? (maxNeighbours ?? 0) : 0;
    const ptr = new Int32Array(count + 1);
    for (let i = 0; i < count; i++) ptr[i + 1] = ptr[i] + Math.max(found.ptr[i + 1] - found.ptr[i], k);
    const edges = ptr[count];
    const sender = new Int32Array(edges);
    const distance = new Float32Array(edges).fill(radius + 1);
    const vector = new Float32Array(3 * edges);
    for (let i = 0; i < count; i++)
      for (let from = found.ptr[i], to = ptr[i]; from < found.ptr[i + 1]; from++, to++) {
        sender[to] = found.index[from];
        distance[to] = found.distance[from];
        for (let c = 0; c < 3; c++) vector[3 * to + c] = found.vector[3 * from + c];
      }
    const { ptr: sentPtr, order: sent } = sortByEnd(sender, count);
    const graph = { nodes: count, edges, ptr, sender, sentPtr, sent, numbers: structure.numbers, distance, vector };
    return this.spec.atoms === "numbers" ? { ...graph, pair: pairsOf(graph) } : graph;
  }

  private vectorOf(z: number, source: string): Float32Array {
    const known = this.vectors.get(z);
    if (known) return known;
    if (typeof this.spec.atoms !== "string")
      throw new UserError(
        `${source}: the atom vectors have none for ${ELEMENTS[z - 1].symbol}.`,
        "Add one to the file.",
      );
    let made: Float32Array;
    try {
      made = this.spec.atoms === "cgcnn" ? atomVector92(z) : new Float32Array(ELEMENTS.length).fill(1, z - 1, z);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(
        `${source}: ${error.message.split("\n")[0]}`,
        "Leave it out (--skip-bad), or use one-hot vectors.",
      );
    }
    this.vectors.set(z, made);
    return made;
  }

  /**
   * The graphs of structures with their targets.
   *
   * @throws UserError as `check`, and where the rows have no structures
   */
  dataset(rows: DatasetRows): GraphDataset {
    if (!rows.structures)
      throw new UserError(
        `${rows.file} has no structures.`,
        "A crystal graph network learns from CIF, POSCAR, extxyz or JSON files, not from formulas.",
      );
    const graphs = rows.structures.map((structure) => this.graph(structure));
    const vectors = this.spec.atoms === "numbers" ? undefined : this.vectors;
    return new GraphDataset(graphs, vectors, this.width, targetsOf(rows), this.spec.symmetric);
  }

  toJSON(): CrystalGraphJson {
    const elements = this.spec.atoms === "cgcnn" ? sha256(ATOMS + SUBSTANCES) : null;
    return { version: 1, kind: "crystalGraph", spec: this.spec, elements };
  }

  /** The featuriser that `toJSON` came from. @throws UserError for anything else, and where the elements' table has changed */
  static fromJSON(json: unknown): CrystalGraphFeaturiser {
    const { version, kind, spec, elements } = (json ?? {}) as Partial<CrystalGraphJson>;
    if (version !== 1 || kind !== "crystalGraph" || !spec)
      throw new UserError("This is not a crystal-graph featuriser, or one of a newer version of spinel.");
    // JSON has no undefined: a spec without a number of neighbours is one of all neighbours.
    const featuriser = new CrystalGraphFeaturiser({ maxNeighbours: undefined, ...spec });
    if (featuriser.toJSON().elements !== (elements ?? null))
      throw new UserError(
        "The atom vectors were made with another table of the elements: predictions would be wrong.",
        "Use the version of spinel that trained the model, or train it again.",
      );
    return featuriser;
  }
}

/** Graphs in the order of a table's rows. */
export class GraphDataset implements LabelledDataset {
  constructor(
    readonly graphs: readonly GraphData[],
    /** Of elements; without them a batch tells the atoms' numbers only. */
    private readonly vectors: ReadonlyMap<number, Float32Array> | undefined,
    /** Of an atom's vector. */
    readonly width: number,
    readonly y: Float32Array,
    /** Whether networks look at the pairs of bonds, too, of which there are far more. */
    private readonly paired = false,
  ) {}

  get length(): number {
    return this.graphs.length;
  }

  get outputs(): number {
    return this.y.length / this.length;
  }

  /** As many as the largest graph allows. */
  get inferenceBatch(): number {
    const sizeOf = (g: GraphData): number => Math.max(g.edges, 8 * g.nodes, this.paired ? PAIR * bondPairs(g) : 0);
    const largest = this.graphs.reduce((most, graph) => Math.max(most, sizeOf(graph)), 1);
    return Math.min(1024, Math.max(1, Math.floor(INFERENCE_EDGES / largest)));
  }

  /** Atoms without any neighbour, over all graphs. */
  get isolated(): number {
    let count = 0;
    for (const { nodes, ptr } of this.graphs) for (let i = 0; i < nodes; i++) if (ptr[i] === ptr[i + 1]) count++;
    return count;
  }

  /** inputs: [the atoms' vectors [atoms, width], the graphs of these rows as one `Graph`], or the latter alone. */
  batch(rows: Int32Array): Batch {
    const { outputs, width, vectors, y } = this;
    const picked = Array.from(rows, (row) => this.graphs[row]);
    const graph = Graph.batch(picked);
    const targets = new Float32Array(rows.length * outputs);
    rows.forEach((row, i) => targets.set(y.subarray(row * outputs, (row + 1) * outputs), i * outputs));
    if (!vectors) return { inputs: [graph], targets };
    const atoms = emit([graph.nodes, width], ({ data }) => {
      let at = 0;
      for (const { numbers } of picked) for (const z of numbers!) data.set(vectors.get(z)!, width * at++);
    });
    return { inputs: [atoms, graph], targets };
  }
}

/** Edges at once where nothing is learned: some 300 MB with vectors of 64 numbers. */
const INFERENCE_EDGES = 1 << 18;

/** What a pair of bonds takes in ALIGNN's four layers of 256 numbers, in edges. */
const PAIR = 8;

/** Pairs of a bond that an atom receives and one that it sends. */
function bondPairs({ nodes, ptr, sentPtr }: GraphData): number {
  let pairs = 0;
  for (let v = 0; v < nodes; v++) pairs += (ptr[v + 1] - ptr[v]) * (sentPtr[v + 1] - sentPtr[v]);
  return pairs;
}

/** Edges of all graphs that are kept: some 200 MB. */
const CACHED_EDGES = 1 << 23;
const cache = new Map<string, GraphData>();
let cachedEdges = 0;

/** The oldest go first: data sets hold their own, and predictions of a long stream must not fill the memory. */
function remember(key: string, graph: GraphData): void {
  cache.set(key, graph);
  cachedEdges += graph.edges;
  for (const [old, { edges }] of cache) {
    if (cachedEdges <= CACHED_EDGES) break;
    cache.delete(old);
    cachedEdges -= edges;
  }
}

/** Of what a graph depends on: lattice, periodicity, elements and positions. */
function contentHash({ lattice, periodic, numbers, positions }: Structure): string {
  return sha256(JSON.stringify([lattice?.matrix, periodic, [...numbers], [...positions]]));
}
