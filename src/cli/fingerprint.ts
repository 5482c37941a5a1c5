import { createHash } from "node:crypto";
import { sha256File } from "../data/download.ts";
import type { Image } from "../data/image.ts";
import type { NodeGraph } from "../data/nodeGraph.ts";
import type { Table } from "../data/table.ts";
import { isFolder } from "./rows.ts";

/**
 * SHA-256 of what a run reads, by which it knows its data again: of a file's bytes or, where structures or labels are in other
 * files than the one that is named, of the rows read.
 */
export async function fingerprint(file: string, table: Table | undefined): Promise<string> {
  if (table?.images) return ofImages(table, table.images);
  if (table?.nodes && isFolder(file)) return ofGraph(table.nodes[0].of);
  const structures = table?.structures;
  if (!structures || !(isFolder(file) || /\.[ct]sv(?:\.gz)?$/i.test(file))) return sha256File(file);
  const { ids, formulas, numeric, categorical, targets, classes } = table;
  const hash = createHash("sha256").update(JSON.stringify({ ids, formulas, numeric, categorical, targets, classes }));
  for (const { lattice, periodic, numbers, positions, disorder } of structures)
    hash.update(JSON.stringify([lattice?.matrix, periodic, [...numbers], [...positions], [...disorder]]));
  return hash.digest("hex");
}

/** Names, edges, features and labels. */
function ofGraph({ ids, graph, features, target, classes, labels, split }: NodeGraph): string {
  const arrays = { ...graph, ...features, labels, ...split };
  const plain = Object.entries(arrays).map(([name, x]) => [name, ArrayBuffer.isView(x) ? Array.from(x) : x]);
  return createHash("sha256")
    .update(JSON.stringify([ids, target, classes, plain]))
    .digest("hex");
}

/** Names, labels and pixels. */
function ofImages({ ids, targets, classes }: Table, images: readonly Image[]): string {
  const hash = createHash("sha256").update(JSON.stringify({ ids, targets, classes }));
  for (const { width, height, channels, data } of images)
    hash.update(JSON.stringify([channels, height, width])).update(data);
  return hash.digest("hex");
}
