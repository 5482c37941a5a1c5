import type { Field } from "../kit/state.ts";

export const SYMBOLS = ["C", "N", "O"] as const;
export type AtomSymbol = (typeof SYMBOLS)[number];
export const ELEMENT_TEXT: Record<AtomSymbol, string> = { C: "carbon", N: "nitrogen", O: "oxygen" };

export interface DrawnNode {
  /** On the field. */
  readonly x: number;
  readonly y: number;
  /** What a trained network sees of it. */
  readonly symbol: AtomSymbol;
  /** What is passed along the edges, step by step. */
  readonly value: number;
}

/** A graph on the field: edges join two different nodes i < j, both ways, at most once. */
export interface Drawing {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly (readonly [i: number, j: number])[];
}

/** Units of the field, and how near to its border a node may lie. */
export const FIELD = { width: 600, height: 430, margin: 46 };
export const MOST_NODES = 14;
export const VALUE = { least: -99, most: 99 };

const within = (x: number, most: number): number => Math.round(Math.min(most, Math.max(FIELD.margin, x)));
const placed = (node: DrawnNode): DrawnNode => ({
  ...node,
  x: within(node.x, FIELD.width - FIELD.margin),
  y: within(node.y, FIELD.height - FIELD.margin),
  value: Math.round(100 * Math.min(VALUE.most, Math.max(VALUE.least, node.value))) / 100,
});

export const joins = ({ edges }: Drawing, i: number, j: number): boolean =>
  edges.some(([a, b]) => (a === i && b === j) || (a === j && b === i));

export const neighboursOf = ({ nodes, edges }: Drawing): number[][] => {
  const found: number[][] = nodes.map(() => []);
  for (const [i, j] of edges) {
    found[i].push(j);
    found[j].push(i);
  }
  return found.map((list) => list.sort((a, b) => a - b));
};

/** One node more, joined to nothing; the same drawing where there is no room. */
export const withNode = (drawing: Drawing, node: DrawnNode): Drawing =>
  drawing.nodes.length >= MOST_NODES ? drawing : { ...drawing, nodes: [...drawing.nodes, placed(node)] };

export const withoutNode = ({ nodes, edges }: Drawing, gone: number): Drawing => ({
  nodes: nodes.filter((_, i) => i !== gone),
  edges: edges
    .filter((ends) => !ends.includes(gone))
    .map(([i, j]) => [i > gone ? i - 1 : i, j > gone ? j - 1 : j] as const),
});

export const changed = (drawing: Drawing, at: number, changes: Partial<DrawnNode>): Drawing => ({
  ...drawing,
  nodes: drawing.nodes.map((node, i) => (i === at ? placed({ ...node, ...changes }) : node)),
});

/** Joins two nodes, or parts them if they are joined. */
export function toggled(drawing: Drawing, i: number, j: number): Drawing {
  if (i === j) return drawing;
  const [a, b] = i < j ? [i, j] : [j, i];
  const edges = joins(drawing, a, b)
    ? drawing.edges.filter(([p, q]) => p !== a || q !== b)
    : [...drawing.edges, [a, b] as const];
  return { ...drawing, edges };
}

/** "C120_80_1,N200_80_-2~0_1": nodes by symbol, place and value, then edges. */
export const drawingField = (initial: Drawing): Field<Drawing> => ({
  initial,
  read(text) {
    const [left, right = "", ...rest] = text.split("~");
    const parts = (list: string): string[] => (list === "" ? [] : list.split(","));
    const nodes = parts(left).map((part) => /^([CNO])(\d{1,3})_(\d{1,3})_(-?\d{1,2}(?:\.\d{1,2})?)$/.exec(part));
    const edges = parts(right).map((part) => /^(\d{1,2})_(\d{1,2})$/.exec(part));
    if (rest.length > 0 || nodes.length > MOST_NODES || nodes.includes(null) || edges.includes(null)) return undefined;
    const drawing: Drawing = {
      nodes: nodes.map((m) => placed({ symbol: m![1] as AtomSymbol, x: +m![2], y: +m![3], value: +m![4] })),
      edges: edges.map((m) => [Number(m![1]), Number(m![2])] as const),
    };
    const keys = new Set(drawing.edges.map(String));
    const fits = drawing.edges.every(([i, j]) => i < j && j < nodes.length) && keys.size === drawing.edges.length;
    return fits ? drawing : undefined;
  },
  write: ({ nodes, edges }) =>
    `${nodes.map(({ symbol, x, y, value }) => `${symbol}${x}_${y}_${value}`).join(",")}~${edges.map(([i, j]) => `${i}_${j}`).join(",")}`,
});
