import { UserError } from "../core/errors.ts";
import type { Image } from "./image.ts";
import { Table } from "./table.ts";

/**
 * Images in memory as a table, which is what `ImageFeaturiser` and `Predictor` take.
 *
 * @param options.labels   of each image, the index of its class in `classes`: the target "class"
 * @param options.ids      "1", "2", … by default
 * @throws UserError if labels or ids are not one for each image, or a label is no index of `classes`
 */
export function imageTable(
  images: readonly Image[],
  {
    file = "images",
    ids = images.map((_, row) => String(row + 1)),
    classes,
    labels,
  }: { file?: string; ids?: readonly string[]; classes?: readonly string[]; labels?: ArrayLike<number> } = {},
): Table {
  for (const [what, { length }] of Object.entries({ ids, ...(labels ? { labels } : {}) }))
    if (length !== images.length) throw new UserError(`imageTable: ${images.length} images and ${length} ${what}.`);
  if ((labels === undefined) !== (classes === undefined))
    throw new UserError("imageTable: labels and classes go together.", "A label is the index of a class in classes.");
  const values = labels && Float64Array.from(labels);
  const wrong = values?.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes!.length)) ?? -1;
  if (wrong >= 0)
    throw new UserError(
      `imageTable: image ${wrong + 1} has label ${labels![wrong]}; there are ${classes!.length} classes.`,
    );
  return new Table({
    ...{ file, ids, formulas: undefined, images },
    lines: Int32Array.from(images, (_, row) => row + 1),
    numeric: { names: [], values: new Float64Array(0) },
    categorical: { names: [], values: [] },
    targets: values && { names: ["class"], values },
    ...(classes ? { classes } : {}),
    ...{ unused: [], dropped: [] },
  });
}
