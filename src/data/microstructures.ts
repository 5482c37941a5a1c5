import { UserError } from "../core/errors.ts";
import { NumpyRandom } from "../core/numpyRandom.ts";
import { Rng } from "../core/random.ts";
import { spinodal } from "./cahnHilliard.ts";
import { dendrites } from "./dendrites.ts";
import { fibres } from "./fibres.ts";
import type { Field } from "./field.ts";
import { porous } from "./gaussianField.ts";
import { type Image, image } from "./image.ts";
import { imageTable } from "./imageTable.ts";
import { micrograph } from "./micrograph.ts";
import type { Table } from "./table.ts";
import { grains, pearlite } from "./voronoi.ts";

const MODELS = { grains, spinodal, dendrites, fibres, porous, pearlite } satisfies Record<
  string,
  (size: number, random: NumpyRandom) => Field
>;

export type MicrostructureKind = keyof typeof MODELS;

/** The kinds, in the order of the classes of `microstructures`. */
export const MICROSTRUCTURES = Object.keys(MODELS) as readonly MicrostructureKind[];

/** A micrograph that knows what it shows. */
export interface Microstructure extends Image {
  readonly data: Uint8Array;
  readonly kind: MicrostructureKind;
  /** `microstructure(kind, { size, seed })` draws it again. */
  readonly seed: number;
  /** Of the model: fractions of area, lengths in px, parameters. */
  readonly facts: Readonly<Record<string, number>>;
}

/**
 * One micrograph, simulated and photographed. Lengths are in pixels: a larger picture shows more of a structure, not more detail.
 *
 *   grains     a Laguerre tessellation of Poisson points, with boundaries
 *   spinodal   the Cahn–Hilliard equation after a quench
 *   dendrites  Kobayashi's phase field of a solidifying melt
 *   fibres     short straight fibres, oriented by an extensional flow
 *   porous     a Gaussian random field cut at a porosity
 *   pearlite   colonies of plates, cut at random angles
 *
 * @param options.size   pixels on each side, 16 or more
 * @param options.seed   0 … 2³² − 1
 * @returns   a grey image [1, size, size] of bytes; the same bits on every engine
 */
export function microstructure(
  kind: MicrostructureKind,
  { size = 64, seed = 0 }: { size?: number; seed?: number } = {},
): Microstructure {
  check(kind, size);
  const random = new NumpyRandom(seed);
  const { values, facts } = MODELS[kind](size, random);
  const data = micrograph(values, size, random);
  return { ...image(size, size, 1, data), data, kind, seed, facts };
}

function check(kind: string, size: number): void {
  if (!Object.hasOwn(MODELS, kind))
    throw new UserError(
      `microstructures: there is no class "${kind}".`,
      `The classes are ${MICROSTRUCTURES.join(", ")}.`,
    );
  if (!(Number.isInteger(size) && size >= 16))
    throw new UserError(`microstructures: size is ${size}, not 16, 17, …: a smaller picture shows no structure.`);
}

/**
 * Simulated micrographs for classification. Illumination, contrast, blur, noise and polarity vary alike in all classes, so that
 * brightness does not give a class away: the texture must be learned.
 *
 * @param options.classes   of `MICROSTRUCTURES`, two or more; all of them by default
 * @returns   a table with images (each a `Microstructure`), ids "grains-1", … and the target "class". The classes take turns, so that
 *            any first rows have equally many of each (± 1) and do not depend on the count. The same bits on every engine.
 */
export function microstructures({
  count = 1000,
  size = 64,
  seed = 0,
  classes = MICROSTRUCTURES,
}: {
  count?: number;
  size?: number;
  seed?: number;
  classes?: readonly MicrostructureKind[];
} = {}): Table {
  if (!(Number.isInteger(count) && count > 0)) throw new UserError(`microstructures: count is ${count}, not 1, 2, …`);
  for (const kind of classes) check(kind, size);
  if (classes.length < 2 || new Set(classes).size < classes.length)
    throw new UserError(
      `microstructures: classes are ${classes.join(", ") || "none"}; give two or more different ones.`,
    );
  const rng = new Rng(seed);
  const images = Array.from({ length: count }, (_, row) =>
    microstructure(classes[row % classes.length], { size, seed: rng.integer(2 ** 32) }),
  );
  return microstructureTable(images, classes);
}

/** Micrographs whose classes take turns, as a table. */
export const microstructureTable = (images: readonly Image[], classes: readonly string[]): Table =>
  imageTable(images, {
    file: "microstructures",
    ids: images.map((_, row) => `${classes[row % classes.length]}-${Math.floor(row / classes.length) + 1}`),
    classes,
    labels: images.map((_, row) => row % classes.length),
  });
