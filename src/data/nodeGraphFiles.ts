import { UserError } from "../core/errors.ts";
import { openTable } from "./columns.ts";
import { cellText, isMissing, label, numberHint, parseNumber } from "./csv.ts";
import { parseJson } from "./jsonl.ts";
import { classesOf, edgesOf, type NodeGraph, type NodeRole, parseNodeGraph } from "./nodeGraph.ts";
import { decodeText, openChunks, quote, type Source, sourceName, unknownName } from "./open.ts";

/** A graph as two tables. */
export interface GraphTables {
  /** A row for each node: its id, numbers that describe it, its class (empty where unknown), and maybe a column `split`. */
  nodes: Source;
  /** A row for each edge: the ids of its ends in the columns source and target. */
  edges: Source;
}

export interface GraphTableOptions {
  /** The column of classes. */
  target?: string;
  /** The column of ids; default: id, … */
  id?: string;
  ignore?: readonly string[];
  delimiter?: string;
  /** Edges go one way, from source to target. */
  directed?: boolean;
}

/** A graph from one JSON file, gzipped or not, as `parseNodeGraph` takes it, or from two tables. */
export async function readNodeGraph(source: Source | GraphTables, options: GraphTableOptions = {}): Promise<NodeGraph> {
  if (typeof source === "object" && "edges" in source && "nodes" in source) return readTables(source, options);
  const file = sourceName(source);
  if (/\.(?:csv|tsv)(?:\.gz)?$/i.test(file))
    throw new UserError(
      `${file} is a table; a graph needs two.`,
      "Put nodes.csv and edges.csv into a folder, and give that.",
    );
  let text = "";
  for await (const piece of decodeText(openChunks(source), { file })) text += piece;
  return parseNodeGraph(parseJson(text, { file }), file);
}

const ROLES: Readonly<Record<string, NodeRole>> = {
  train: "train",
  val: "validation",
  validation: "validation",
  test: "test",
};

async function readTables({ nodes, edges }: GraphTables, options: GraphTableOptions): Promise<NodeGraph> {
  const { target, id, ignore, delimiter, directed } = options;
  const { file, roles, rows } = await openTable(nodes, { target, id, ignore, delimiter, numeric: ["*"] });
  const { names, numeric } = roles;
  if (roles.id < 0)
    throw new UserError(
      `${file} has no column of ids.`,
      `Name it: id. It has ${names.map((n) => quote(n)).join(", ")}.`,
    );
  const splitColumn = roles.unused.includes("split") ? names.indexOf("split") : -1;
  const [ids, labels, features]: [string[], (string | undefined)[], number[]] = [[], [], []];
  const split: Partial<Record<NodeRole, number[]>> = {};
  const place = new Map<string, number>();
  for await (const { line, cells } of rows) {
    const text = (c: number): string => cellText(cells[c]) ?? "";
    const name = text(roles.id);
    const wrong = (c: number, what: string, hint?: string): UserError =>
      new UserError(`${file}:${line}: column ${quote(names[c])} ${what}.`, hint);
    if (name === "" || place.has(name))
      throw wrong(roles.id, name === "" ? "is empty: each node needs an id" : `has ${quote(name)} a second time`);
    place.set(name, ids.length);
    for (const c of numeric) {
      const value = parseNumber(text(c));
      if (value === undefined) throw wrong(c, `is ${quote(text(c))}, not a number`, numberHint(text(c)));
      features.push(value);
    }
    const own = roles.targets.map(text).find((value) => !isMissing(value, "categories"));
    labels.push(own === undefined ? undefined : label(own));
    const role = splitColumn >= 0 ? text(splitColumn) : "";
    if (role !== "" && !(role in ROLES))
      throw wrong(splitColumn, `is ${quote(role)}`, "It may be train, val, test or empty.");
    if (role !== "" && own !== undefined) (split[ROLES[role]] ??= []).push(ids.length);
    ids.push(name);
  }
  if (ids.length === 0) throw new UserError(`${file} has no rows.`);
  const { classes, numbers } = classesOf(labels);
  const members = (role: NodeRole): Int32Array | undefined => split[role] && Int32Array.from(split[role]);
  return {
    file,
    ids,
    graph: edgesOf(ids.length, await readEdges(edges, place, file, delimiter), directed),
    features: numeric.length > 0 ? { columns: numeric.length, dense: Float32Array.from(features) } : undefined,
    target: target ?? "class",
    classes,
    labels: numbers,
    split: split.train
      ? { train: members("train"), validation: members("validation"), test: members("test") }
      : undefined,
  };
}

const ENDS = [
  ["source", "target"],
  ["from", "to"],
  ["sender", "receiver"],
];

async function readEdges(
  source: Source,
  place: ReadonlyMap<string, number>,
  nodes: string,
  delimiter: string | undefined,
): Promise<[number, number][]> {
  const { file, roles, rows } = await openTable(source, { delimiter });
  const { names } = roles;
  const columns = ENDS.map((ends) => ends.map((end) => names.indexOf(end))).find((found) => !found.includes(-1));
  if (!columns) throw unknownName(`${file} has no columns "source" and "target"; it needs`, "source", names);
  const pairs: [number, number][] = [];
  for await (const { line, cells } of rows) {
    const [from, to] = columns.map((c) => {
      const name = cellText(cells[c]) ?? "";
      const node = place.get(name);
      if (node === undefined)
        throw new UserError(
          `${file}:${line}: column ${quote(names[c])} is ${quote(name)}, which is no node of ${nodes}.`,
        );
      return node;
    });
    pairs.push([from, to]);
  }
  return pairs;
}
