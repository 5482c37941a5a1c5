import type * as ops from "../src/ops/index.ts";
import { ACTIVATION } from "./samples/activation.ts";
import { CONV } from "./samples/conv.ts";
import type { Case } from "./samples/draw.ts";
import { ELEMENTWISE } from "./samples/elementwise.ts";
import { GATHER } from "./samples/gather.ts";
import { GEOMETRY } from "./samples/geometry.ts";
import { IMAGE } from "./samples/image.ts";
import { LAYOUT } from "./samples/layout.ts";
import { LOSS } from "./samples/loss.ts";
import { MATRIX } from "./samples/matrix.ts";
import { MESSAGE } from "./samples/message.ts";
import { NORM } from "./samples/norm.ts";
import { REDUCE } from "./samples/reduce.ts";

/** How to call every op, with its f64 reference. An op without a sample does not compile. */
export const SAMPLES = {
  ...ELEMENTWISE,
  ...ACTIVATION,
  ...REDUCE,
  ...MATRIX,
  ...CONV,
  ...MESSAGE,
  ...NORM,
  ...IMAGE,
  ...GATHER,
  ...GEOMETRY,
  ...LAYOUT,
  ...LOSS,
} satisfies Record<keyof typeof ops, Case[]>;
