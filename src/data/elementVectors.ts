import { UserError } from "../core/errors.ts";
import { sha256 } from "../core/sha256.ts";
import { ALL_ELEMENTS, magpieNames, magpieStatistics } from "./composition.ts";
import { parseNumber, readCsvRows } from "./csv.ts";
import { atomicNumber, ELEMENTS } from "./elements.ts";
import { Composition } from "./formula.ts";
import { openChunks, quote, type Source, sourceName } from "./open.ts";

/** Vectors that come with the library: one of 118 bits, or standardised facts about H … Lr. */
export type ElementVectorKind = "onehot" | "descriptors";

/** Whether the vectors are of a kind that is there; otherwise the name is a file's. */
export const isElementVectorKind = (name: unknown): name is ElementVectorKind =>
  name === "onehot" || name === "descriptors";

/** A vector for each element: what a composition network is told of it. */
export interface ElementVectors {
  /** What they are called: a kind, or a file's name without its folder. */
  readonly name: string;
  readonly width: number;
  /** [119, width] by atomic number; row 0 and the rows of unknown elements are zeros. */
  readonly table: Float32Array;
  /** Atomic numbers of the elements that have one, ascending. */
  readonly elements: readonly number[];
  /** SHA-256 of elements and numbers: equal hashes are equal vectors. */
  readonly hash: string;
}

/** The vectors of a kind. */
export function elementVectors(kind: ElementVectorKind): ElementVectors {
  if (kind === "onehot") {
    const width = ELEMENTS.length;
    return vectorsOf(kind, new Map(ELEMENTS.map(({ number: z }) => [z, new Float32Array(width).fill(1, z - 1, z)])));
  }
  return vectorsOf(kind, descriptors());
}

/**
 * Vectors from a table whose first column holds symbols (or atomic numbers) and whose others are numbers, such as mat2vec's.
 * They are taken as they are.
 *
 * @throws UserError naming file, line and column for what is neither an element nor a number, and for an element that comes twice
 */
export async function readElementVectors(source: Source, { file = sourceName(source) } = {}): Promise<ElementVectors> {
  const found = new Map<number, Float32Array>();
  let header: string[] | undefined;
  for await (const { line, cells } of readCsvRows(openChunks(source, { file }), { file })) {
    if (!header) {
      header = cells;
      continue;
    }
    const [first, ...values] = cells.map((cell) => cell.trim());
    const z = atomicNumber(first) ?? Number(first);
    if (!ELEMENTS[z - 1])
      throw new UserError(`${file}:${line}: ${quote(first)} is neither a symbol nor an atomic number.`, EXAMPLE);
    if (found.has(z)) throw new UserError(`${file}:${line}: ${ELEMENTS[z - 1].symbol} comes twice.`);
    const numbers = values.map((text) => parseNumber(text) ?? Number.NaN);
    const wrong = numbers.findIndex((x) => !Number.isFinite(Math.fround(x)));
    if (wrong >= 0)
      throw new UserError(
        `${file}:${line}: column ${quote(header[wrong + 1])} holds ${quote(values[wrong])}, not a number.`,
        "Fill gaps in, or leave the column or the element out.",
      );
    found.set(z, Float32Array.from(numbers));
  }
  if (found.size === 0 || header!.length < 2) throw new UserError(`${file} holds no element vectors.`, EXAMPLE);
  return vectorsOf(file.split(/[\\/]/).at(-1)!, found);
}

const EXAMPLE = 'A table of element vectors begins with symbols: "element,0,1,…", then "H,0.057,-0.226,…".';

function vectorsOf(name: string, vectors: ReadonlyMap<number, Float32Array>): ElementVectors {
  const elements = [...vectors.keys()].sort((a, b) => a - b);
  const width = vectors.get(elements[0])!.length;
  const table = new Float32Array((ELEMENTS.length + 1) * width);
  for (const [z, vector] of vectors) table.set(vector, z * width);
  return { name, width, table, elements, hash: sha256(JSON.stringify([elements, width, [...table]])) };
}

/** What `magpieStatistics` know of a pure element, less what is the same for all: mean 0 and variance 1 over H … Lr. */
function descriptors(): Map<number, Float32Array> {
  const columns = magpieNames.flatMap((name, i) => (/^mean (?!deviation|ionic)|^share|charge$/.test(name) ? [i] : []));
  const rows = ALL_ELEMENTS.map((z) => {
    const statistics = magpieStatistics(new Composition([[z, 1]]));
    return columns.map((i) => statistics[i]);
  });
  const scaled = columns.map((_, c) => {
    const mean = rows.reduce((sum, row) => sum + row[c], 0) / rows.length;
    const variance = rows.reduce((sum, row) => sum + (row[c] - mean) ** 2, 0) / rows.length;
    return rows.map((row) => (row[c] - mean) / Math.sqrt(variance));
  });
  return new Map(ALL_ELEMENTS.map((z, r) => [z, Float32Array.from(scaled, (column) => column[r])]));
}
