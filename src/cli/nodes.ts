import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { openTable } from "../data/columns.ts";
import { splitRows } from "../data/dataset.ts";
import { karate } from "../data/karate.ts";
import type { NodeFeaturiser } from "../data/nodeFeaturiser.ts";
import { type NodeGraph, nodeTable } from "../data/nodeGraph.ts";
import { readNodeGraph } from "../data/nodeGraphFiles.ts";
import { quote } from "../data/open.ts";
import type { Table } from "../data/table.ts";
import { type Model, parameters } from "../nn/index.ts";
import type { Group } from "../train/optim.ts";
import { type Fields, flagOf, type RunConfig } from "./config.ts";
import { isEmbedded } from "./embedded.ts";
import type { Parts } from "./prepare.ts";
import { isFolder } from "./rows.ts";

/** The one graph that the package has with it. */
export const KARATE = "embedded:karate";

type GraphFields = Partial<Pick<RunConfig, "target" | "id" | "ignore" | "delimiter">>;

/** A graph whose nodes have classes: one JSON file, a folder with nodes.csv and edges.csv, or the embedded one. */
export async function nodeGraph(file: string, { target, id, ignore, delimiter }: GraphFields = {}): Promise<NodeGraph> {
  if (file === KARATE) return karate();
  if (isEmbedded(file)) throw new UserError(`${file} is no graph of nodes.`, `Use ${KARATE}.`);
  const options = { target: target || undefined, id, ignore, delimiter };
  if (isFolder(file)) return readNodeGraph({ nodes: join(file, "nodes.csv"), edges: join(file, "edges.csv") }, options);
  return readNodeGraph(file, options);
}

/** What a graph of nodes has no use for. */
const ALIEN: readonly (keyof RunConfig)[] = ["val", "test", "folds", "formula", "features"];

/**
 * The nodes to learn from, to choose by and to test with: as the graph says or, of a graph that says nothing and where a share is
 * asked for, at random, the same share of each class.
 */
export async function nodeParts(config: RunConfig, rng: Rng): Promise<Parts[]> {
  const { data, model, testFraction, valFraction = 0.1 } = config;
  const alien = ALIEN.find((field) => (config as Fields)[field] !== undefined);
  if (alien)
    throw new UserError(
      `${flagOf(alien)} is not for ${model}, which learns from the nodes of one graph.`,
      'The nodes\' roles are the lists "train", "val" and "test" of the file, a column split of nodes.csv, or shares: --test-fraction.',
    );
  if (config.task === "regression")
    throw new UserError(`--task regression is not for ${model}, which learns the nodes' classes.`, "Leave it out.");
  const graph = await nodeGraph(data, config);
  if (graph.classes.length < 2)
    throw new UserError(
      `${data}: the nodes have ${graph.classes.length === 1 ? `one class, ${quote(graph.classes[0])}` : "no classes"}; two are needed to learn.`,
      'Classes are the list "labels" of a JSON file, or the column --target of nodes.csv.',
    );
  if (config.target !== "" && config.target !== graph.target)
    throw new UserError(
      `${data} has no column ${quote(config.target)}.`,
      `Its target is ${quote(graph.target)}: leave --target out.`,
    );
  const all = nodeTable(graph);
  const part = (nodes: ArrayLike<number>): Table => nodeTable(graph, nodes);
  if (graph.split?.train && testFraction === undefined) {
    const { train, validation, test } = graph.split;
    const parts = (learned: ArrayLike<number>, chosen: ArrayLike<number>): Parts[] => [
      { train: part(learned), validation: part(chosen), test: test && part(test), all, fold: 0 },
    ];
    if (validation) return parts(train, validation);
    const [rest, held] = cut(graph, train, valFraction, rng.fork(2));
    return parts(rest, held);
  }
  const known = Int32Array.from(all.nodes!, ({ index }) => index);
  const [rest, test] = testFraction === undefined ? [known, undefined] : cut(graph, known, testFraction, rng.fork(1));
  const [train, validation] = cut(graph, rest, valFraction, rng.fork(2));
  return [{ train: part(train), validation: part(validation), test: test && part(test), all, fold: 0 }];
}

/** All but a share of the nodes, and that share, of each class alike. */
function cut({ file, labels }: NodeGraph, nodes: Int32Array, share: number, rng: Rng): [Int32Array, Int32Array] {
  if (nodes.length < 2)
    throw new UserError(
      `${file}: ${nodes.length} node with a class is too few: some are held out.`,
      "Label more nodes.",
    );
  const own = nodes.map((i) => labels[i]);
  const [rest, held] = splitRows(nodes.length, 1 - share, rng, own);
  return [rest.map((k) => nodes[k]), held.map((k) => nodes[k])];
}

/** The nodes of a file that a trained net is given, all of them, whatever is known of their classes. */
export async function nodesToPredict(file: string, fields: GraphFields): Promise<Table> {
  let { target } = fields;
  if (!isEmbedded(file) && isFolder(file)) {
    const { roles, rows } = await openTable(join(file, "nodes.csv"), { delimiter: fields.delimiter });
    await rows.return(undefined);
    // The classes need not be there; where they are, they are no features.
    if (!roles.names.includes(target ?? "")) target = undefined;
  }
  return nodeTable(await nodeGraph(file, { ...fields, target }), undefined, { targets: false });
}

/** The parameters of a net whose first layer's weights alone decay, as GCN's authors have it. */
export function decayingFirst(net: Model): Group[] {
  const all = [...parameters(net)];
  const isFirst = ([name]: [string, unknown]): boolean => name.startsWith("convs.0.");
  const [first, rest] = [all.filter(isFirst), all.filter((entry) => !isFirst(entry))];
  return [{ parameters: new Map(first) }, { parameters: new Map(rest), weightDecay: 0 }];
}

/** What a network is told of a node, in words. */
export function describeNodes({ spec, width }: NodeFeaturiser): string {
  if (spec.kind === "words") return `${width} words`;
  return spec.kind === "numbers" ? `${width} numbers of each node` : "which node it is";
}
