import { Csr } from "../core/csr.ts";
import { UserError } from "../core/errors.ts";
import { sha256 } from "../core/sha256.ts";
import { indices, type Tensor, tensor } from "../core/tensor.ts";
import { type Batch, type DatasetRows, type LabelledDataset, type RowFeaturiser, targetsOf } from "./dataset.ts";
import { Graph } from "./graph.ts";
import type { NodeFeatures, NodeGraph } from "./nodeGraph.ts";
import type { SparseRows } from "./sparseRows.ts";

/** What a network is told of a node. */
export type NodeSpec =
  /** The words it has, each row adding up to 1. */
  | { kind: "words"; columns: number }
  /** Its numbers, brought to mean 0 and variance 1 over the nodes of the graph that was learned from. */
  | { kind: "numbers"; mean: number[]; std: number[] }
  /** Which node it is. */
  | { kind: "identity"; columns: number };

export interface NodeFeaturiserJson {
  readonly version: 1;
  readonly kind: "nodes";
  readonly spec: NodeSpec;
}

/** A graph as networks take it. */
interface Prepared {
  x: Tensor | SparseRows;
  graph: Graph;
}

/** Turns the nodes of a graph into a network's inputs: always the whole graph, since neighbours count, and which nodes are asked for. */
export class NodeFeaturiser implements RowFeaturiser {
  private readonly prepared = new WeakMap<NodeGraph, Prepared>();

  constructor(readonly spec: NodeSpec) {}

  /** What suits the graph's own features. */
  static fit({ features, ids }: NodeGraph): NodeFeaturiser {
    if (!features) return new NodeFeaturiser({ kind: "identity", columns: ids.length });
    if ("index" in features) return new NodeFeaturiser({ kind: "words", columns: features.columns });
    return new NodeFeaturiser({ kind: "numbers", ...scaleOf(features.dense, features.columns) });
  }

  /** Numbers that describe a node. */
  get width(): number {
    return this.spec.kind === "numbers" ? this.spec.mean.length : this.spec.columns;
  }

  get hash(): string {
    return sha256(JSON.stringify(this.toJSON()));
  }

  /** @throws UserError for rows that are not nodes, or of several graphs, and for a graph with other features than those learned from */
  dataset(rows: DatasetRows): NodeDataset {
    const { nodes } = rows;
    if (!nodes || nodes.length === 0)
      throw new UserError(`${rows.file} holds no graph.`, "This model learns from a graph whose nodes have classes.");
    const [{ of }] = nodes;
    if (nodes.some((node) => node.of !== of))
      throw new UserError("NodeFeaturiser: the rows are nodes of several graphs.");
    let prepared = this.prepared.get(of);
    if (!prepared) {
      prepared = { x: this.inputs(of), graph: Graph.batch([of.graph]) };
      this.prepared.set(of, prepared);
    }
    return new NodeDataset(
      prepared,
      Int32Array.from(nodes, ({ index }) => index),
      targetsOf(rows),
    );
  }

  private inputs({ features, ids, file }: NodeGraph): Tensor | SparseRows {
    const { spec, width } = this;
    const kind = !features ? "identity" : "index" in features ? "words" : "numbers";
    const columns = features?.columns ?? ids.length;
    if (kind !== spec.kind || columns !== width)
      throw new UserError(
        `${file}: its nodes are described by ${columns} ${NOUNS[kind]}, the model has learned from ${width} ${NOUNS[spec.kind]}.`,
        "Give a graph with the same features as the one that was trained on.",
      );
    if (spec.kind === "identity" || !features) return identity(ids.length);
    if ("index" in features) return words(features);
    const { mean, std } = spec as NodeSpec & { kind: "numbers" };
    return tensor(
      features.dense.map((x, k) => (x - mean[k % width]) / std[k % width]),
      [ids.length, width],
    );
  }

  toJSON(): NodeFeaturiserJson {
    return { version: 1, kind: "nodes", spec: this.spec };
  }

  /** The featuriser that `toJSON` came from. @throws UserError for anything else */
  static fromJSON(json: unknown): NodeFeaturiser {
    const { version, kind, spec } = (json ?? {}) as Partial<NodeFeaturiserJson>;
    if (version !== 1 || kind !== "nodes" || !spec)
      throw new UserError("This is not a featuriser of a graph's nodes, or one of a newer version of spinel.");
    return new NodeFeaturiser(spec);
  }
}

const NOUNS = { words: "words", numbers: "numbers", identity: "names" };

function identity(nodes: number): SparseRows {
  const all = Int32Array.from({ length: nodes }, (_, i) => i);
  return { adj: Csr.fromPairs(all, all, nodes, nodes), values: tensor(new Float32Array(nodes).fill(1)) };
}

function words({ ptr, index, columns }: Extract<NodeFeatures, { index: Int32Array }>): SparseRows {
  const nodes = ptr.length - 1;
  const row = new Int32Array(index.length);
  for (let i = 0; i < nodes; i++) row.fill(i, ptr[i], ptr[i + 1]);
  const values = Float32Array.from(row, (i) => 1 / (ptr[i + 1] - ptr[i]));
  return { adj: Csr.fromPairs(row, index, nodes, columns), values: tensor(values) };
}

/** Mean and standard deviation of each column; 1 where nothing varies. */
function scaleOf(dense: Float32Array, columns: number): { mean: number[]; std: number[] } {
  const rows = dense.length / columns;
  const of = (f: (x: number, c: number) => number): number[] => {
    const sums = new Array<number>(columns).fill(0);
    dense.forEach((x, k) => {
      sums[k % columns] += f(x, k % columns);
    });
    return sums.map((sum) => sum / rows);
  };
  const mean = of((x) => x);
  const std = of((x, c) => (x - mean[c]) ** 2).map((variance) => Math.sqrt(variance) || 1);
  return { mean, std };
}

/** Some nodes of a graph. A batch's inputs are [x of all nodes, their graph, the nodes asked for]. */
export class NodeDataset implements LabelledDataset {
  readonly outputs = 1;

  constructor(
    private readonly prepared: Prepared,
    private readonly nodes: Int32Array,
    readonly y: Float32Array,
  ) {}

  get length(): number {
    return this.nodes.length;
  }

  /** The whole graph is computed for one node or for all. */
  get inferenceBatch(): number {
    return Math.max(1, this.length);
  }

  batch(rows: Int32Array): Batch {
    const { nodes, prepared, y } = this;
    const asked = indices(rows.map((row) => nodes[row]));
    return { inputs: [prepared.x, prepared.graph, asked], targets: Float32Array.from(rows, (row) => y[row]) };
  }
}
