import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Rng } from "../../../src/core/random.ts";
import type { Image } from "../../../src/data/image.ts";
import { encodePng } from "../../../src/data/imageCodec.ts";

export const CLASSES = ["columns", "dots", "rows"];

/** A grey picture of stripes or dots with noise: easy to tell apart, different for each seed. */
export function picture(kind: string, seed: number, size = 16): Image {
  const rng = new Rng(seed);
  const start = Math.floor(4 * rng.random());
  const data = Uint8Array.from({ length: size * size }, (_, i) => {
    const [x, y] = [i % size, Math.floor(i / size)].map((n) => (n + start) % 4 < 2);
    const bright = kind === "columns" ? x : kind === "rows" ? y : x && y;
    return (bright ? 160 : 60) + Math.floor(40 * rng.random());
  });
  return { width: size, height: size, channels: 1, data };
}

export function write(folder: string, files: Record<string, Uint8Array | string>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** CLASS/0.png … of each class. */
export const classFolders = (classes: readonly string[], count: number, size?: number): Record<string, Uint8Array> =>
  Object.fromEntries(
    classes.flatMap((name, k) =>
      Array.from({ length: count }, (_, i) => [`${name}/${i}.png`, encodePng(picture(name, 100 * k + i, size))]),
    ),
  );

/** An IDX file of bytes. */
export function idx(sizes: readonly number[], data: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * sizes.length + data.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, 8, sizes.length]);
  sizes.forEach((size, i) => void view.setUint32(4 + 4 * i, size));
  bytes.set(data, 4 + 4 * sizes.length);
  return bytes;
}
