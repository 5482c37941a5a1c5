import { UserError } from "../core/errors.ts";
import { label } from "./csv.ts";
import { type GraphData, graphData } from "./graph.ts";
import { quote } from "./open.ts";
import { Table } from "./table.ts";

/** Numbers that describe each node, row-major, or only those that are not 0: row i has them in columns index[ptr[i] … ptr[i + 1]). */
export type NodeFeatures =
  | { readonly columns: number; readonly dense: Float32Array }
  | { readonly columns: number; readonly ptr: Int32Array; readonly index: Int32Array };

export type NodeRole = "train" | "validation" | "test";

/** One graph whose nodes have classes, some of them unknown. */
export interface NodeGraph {
  /** What messages call it. */
  readonly file: string;
  readonly ids: readonly string[];
  /** Every edge of an undirected graph in both directions, once. */
  readonly graph: GraphData;
  /** Without any, each node is described by being itself. */
  readonly features?: NodeFeatures;
  readonly target: string;
  readonly classes: readonly string[];
  /** Of each node, its number in `classes`, or −1 where it is not known. */
  readonly labels: Int32Array;
  /** Nodes to learn from, to choose by and to test with, where the data say so. */
  readonly split?: Readonly<Partial<Record<NodeRole, Int32Array>>>;
}

/** A row of a table that is a node of a graph. */
export interface GraphNode {
  readonly of: NodeGraph;
  readonly index: number;
}

/** The edges between nodes: of undirected ones both directions, and of several equal ones one. */
export function edgesOf(
  nodes: number,
  pairs: Iterable<readonly [from: number, to: number]>,
  directed = false,
): GraphData {
  const seen = new Set<number>();
  const [senders, receivers]: [number[], number[]] = [[], []];
  const put = (from: number, to: number): void => {
    const key = from * nodes + to;
    if (seen.has(key)) return;
    seen.add(key);
    senders.push(from);
    receivers.push(to);
  };
  for (const [from, to] of pairs) {
    put(from, to);
    if (!directed) put(to, from);
  }
  return graphData(nodes, senders, receivers);
}

/** Class names in order (numbers by size, texts by the alphabet) and each label's place among them; undefined or "" is unknown: −1. */
export function classesOf(labels: readonly (string | undefined)[]): { classes: string[]; numbers: Int32Array } {
  const names = [...new Set(labels.filter((name) => name !== undefined && name !== ""))] as string[];
  const numeric = names.every((name) => Number.isFinite(Number(name)));
  const classes = names.sort(numeric ? (a, b) => Number(a) - Number(b) : undefined);
  const place = new Map(classes.map((name, i) => [name, i]));
  return { classes, numbers: Int32Array.from(labels, (name) => place.get(name ?? "") ?? -1) };
}

/** The nodes as the rows of a table, those with a known class unless `all` are wanted (without targets). */
export function nodeTable(graph: NodeGraph, nodes?: ArrayLike<number>, { targets = true } = {}): Table {
  const known = (_: unknown, i: number): boolean => !targets || graph.labels[i] >= 0;
  const own = nodes ? Array.from(nodes) : [...graph.ids.keys()].filter(known);
  return new Table({
    file: graph.file,
    ids: own.map((i) => graph.ids[i]),
    formulas: undefined,
    nodes: own.map((index) => ({ of: graph, index })),
    lines: Int32Array.from(own, (i) => i + 1),
    numeric: { names: [], values: new Float64Array(0) },
    categorical: { names: [], values: [] },
    targets: targets ? { names: [graph.target], values: Float64Array.from(own, (i) => graph.labels[i]) } : undefined,
    classes: targets ? graph.classes : undefined,
    unused: [],
    dropped: [],
  });
}

const HINT =
  'A graph is { "edges": [[0, 1], …], "labels": [0, null, "a", …], "features": [[…], …], "train": […], "val": […], "test": […] }.';

/**
 * A graph as JSON: `edges`, pairs of node numbers from 0 (or of `ids`), undirected unless `directed` is true; `labels`, null or −1
 * where a class is not known; `features`, a list for each node, of numbers or, where `num_features` is given, of the columns that
 * are 1 (bags of words); `num_nodes`, `ids`, and the nodes to learn from, `train`, `val`, `test`, where there are any. This is also
 * how the Planetoid citation graphs are exchanged.
 *
 * @throws UserError naming file, field and entry
 */
export function parseNodeGraph(json: unknown, file = "input"): NodeGraph {
  const fields = (typeof json === "object" && json !== null && !Array.isArray(json) ? json : {}) as Fields;
  const wrong = (field: string, what: string, hint = HINT): UserError =>
    new UserError(`${file}: ${field} ${what}.`, hint);
  const list = (field: string): readonly unknown[] | undefined => {
    const value = fields[field];
    if (value !== undefined && value !== null && !Array.isArray(value)) throw wrong(quote(field), "is not a list");
    return (value as readonly unknown[] | null) ?? undefined;
  };
  const edges = list("edges");
  if (!edges) throw new UserError(`${file}: there are no "edges": this is not a graph.`, HINT);
  const [ids, labels, features] = [list("ids"), list("labels"), list("features")];
  const nodes = countOf(fields.num_nodes, [ids, labels, features], edges, wrong);
  for (const [field, values] of Object.entries({ ids, labels, features }))
    if (values && values.length !== nodes) throw wrong(quote(field), `has ${values.length} entries for ${nodes} nodes`);
  const names = ids?.map(String) ?? Array.from({ length: nodes }, (_, i) => String(i));
  const place = new Map(names.map((name, i) => [name, i]));
  if (place.size < nodes) throw wrong('"ids"', "are not all different");
  const node = (value: unknown, what: string): number => {
    const i = place.get(String(value));
    if (i === undefined) throw wrong(what, `names the node ${quote(JSON.stringify(value))}, which there is not`);
    return i;
  };
  const pairs = edges.map((edge, k): [number, number] => {
    if (!Array.isArray(edge) || edge.length !== 2)
      throw wrong(`"edges"[${k}]`, `is not a pair: ${quote(JSON.stringify(edge))}`);
    return [node(edge[0], `"edges"[${k}]`), node(edge[1], `"edges"[${k}]`)];
  });
  const texts = labels?.map((value, i) => {
    if (value === null || value === -1 || value === "") return undefined;
    if (typeof value === "object") throw wrong(`"labels"[${i}]`, "is not a class");
    return label(String(value));
  });
  const { classes, numbers } = classesOf(texts ?? new Array<undefined>(nodes).fill(undefined));
  const role = (field: string): Int32Array | undefined => {
    const members = list(field)?.map((value, k) => node(value, `"${field}"[${k}]`));
    const blank = members?.find((i) => numbers[i] < 0);
    if (blank !== undefined)
      throw wrong(quote(field), `has the node ${quote(names[blank])}, which has no label`, "Leave it out.");
    return members && members.length > 0 ? Int32Array.from(members) : undefined;
  };
  const split = { train: role("train"), validation: role("val"), test: role("test") };
  return {
    file,
    ids: names,
    graph: edgesOf(nodes, pairs, fields.directed === true),
    features: features && featuresOf(features, fields.num_features, wrong),
    target: typeof fields.target === "string" ? fields.target : "class",
    classes,
    labels: numbers,
    split: split.train ? checkApart(split, names, wrong) : undefined,
  };
}

type Fields = Record<string, unknown>;
type Wrong = (field: string, what: string, hint?: string) => UserError;

function countOf(
  given: unknown,
  lists: readonly (readonly unknown[] | undefined)[],
  edges: readonly unknown[],
  wrong: Wrong,
): number {
  if (given !== undefined) {
    if (!(typeof given === "number" && Number.isInteger(given) && given >= 1 && given < 2 ** 31))
      throw wrong('"num_nodes"', `is ${quote(JSON.stringify(given))}, not a whole number ≥ 1`);
    return given;
  }
  const known = lists.find((values) => values);
  const most = edges.flat().reduce<number>((top, i) => Math.max(top, Number(i)), -1) + 1;
  const count = known?.length ?? most;
  if (!(count >= 1)) throw wrong('"edges"', "say nothing of how many nodes there are");
  return count;
}

function featuresOf(rows: readonly unknown[], columns: unknown, wrong: Wrong): NodeFeatures {
  const lists = rows.map((row, i) => {
    const at = Array.isArray(row) ? row.findIndex((x) => typeof x !== "number" || !Number.isFinite(x)) : 0;
    if (!Array.isArray(row) || at >= 0) throw wrong(`"features"[${i}]`, "is not a list of numbers");
    return row as number[];
  });
  if (columns === undefined) {
    const width = lists[0].length;
    const other = lists.findIndex((row) => row.length !== width);
    if (other >= 0 || width === 0)
      throw wrong(
        `"features"[${Math.max(other, 0)}]`,
        other < 0 ? "is empty" : `has ${lists[other].length} numbers, the first node ${width}`,
        'If they are lists of the columns that are 1, say how many columns there are: "num_features".',
      );
    return { columns: width, dense: Float32Array.from(lists.flat()) };
  }
  if (!(typeof columns === "number" && Number.isInteger(columns) && columns >= 1))
    throw wrong('"num_features"', `is ${quote(JSON.stringify(columns))}, not a whole number ≥ 1`);
  const ptr = new Int32Array(rows.length + 1);
  lists.forEach((row, i) => {
    ptr[i + 1] = ptr[i] + row.length;
    const bad = row.find((c) => !(Number.isInteger(c) && c >= 0 && c < columns));
    if (bad !== undefined) throw wrong(`"features"[${i}]`, `has the column ${bad}; there are 0 … ${columns - 1}`);
  });
  return { columns, ptr, index: Int32Array.from(lists.flat()) };
}

/** What is tested must not have been learned from. */
function checkApart(
  split: NonNullable<NodeGraph["split"]>,
  names: readonly string[],
  wrong: Wrong,
): NodeGraph["split"] {
  const roles = new Map<number, string>();
  for (const [role, members] of Object.entries(split))
    for (const i of members ?? []) {
      const other = roles.get(i);
      if (other) throw wrong(quote(names[i]), `is a node of "${other}" and of "${role}"`, "Each node has one role.");
      roles.set(i, role);
    }
  return split;
}
