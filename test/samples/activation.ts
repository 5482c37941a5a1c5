import * as ops from "../../src/ops/index.ts";
import * as f from "../reference/functions.ts";
import { map, zip } from "../reference/nd.ts";
import { type Case, unary } from "./draw.ts";

const smooth = { range: { low: -5, high: 5 } };
const kinked = { range: { low: -5, high: 5, away: [0] } };

export const ACTIVATION = {
  relu: [unary(ops.relu, f.relu, kinked)],
  sigmoid: [unary(ops.sigmoid, f.sigmoid, smooth)],
  softplus: [unary(ops.softplus, f.softplus, smooth)],
  silu: [unary(ops.silu, f.silu, smooth)],
  gelu: [unary(ops.gelu, f.gelu, smooth)],
  geluTanh: [unary(ops.geluTanh, f.geluTanh, smooth)],
  mish: [unary(ops.mish, f.mish, smooth)],
  elu: [
    unary((x) => ops.elu(x), f.elu, kinked),
    unary(
      (x) => ops.elu(x, { alpha: 0.5 }),
      (v) => f.elu(v, 0.5),
      kinked,
    ),
  ],
  leakyRelu: [
    unary((x) => ops.leakyRelu(x), f.leakyRelu, kinked),
    unary(
      (x) => ops.leakyRelu(x, { slope: 0.2 }),
      (v) => f.leakyRelu(v, 0.2),
      kinked,
    ),
  ],
  prelu: [
    {
      draw(d) {
        const shape = d.shape(1, 3);
        return {
          inputs: [d.values(shape, kinked.range), d.values(d.chance(0.5) ? [] : [shape[shape.length - 1]])],
          run: ([x, slope]) => ops.prelu(x, slope),
          reference: ([x, slope]) => zip((v, s) => (v > 0 ? v : s * v), x, slope),
        };
      },
    },
  ],
  ssp: [unary(ops.ssp, f.ssp, smooth)],
  selu: [unary(ops.selu, f.selu, kinked)],
  swish: [
    {
      draw(d) {
        const beta = d.pick([1, 0.5, 1.7]);
        return {
          attrs: { beta },
          inputs: [d.values(d.shape(0, 3))],
          run: ([x]) => ops.swish(x, { beta }),
          reference: ([x]) => map(x, (v) => v * f.sigmoid(beta * v)),
        };
      },
    },
  ],
  hardSwish: [unary(ops.hardSwish, f.hardSwish, { range: { low: -5, high: 5, away: [-3, 3] } })],
  hardSigmoid: [unary(ops.hardSigmoid, f.hardSigmoid, { range: { low: -5, high: 5, away: [-2.5, 2.5] } })],
  lecunTanh: [unary(ops.lecunTanh, f.lecunTanh, smooth)],
  logSigmoid: [unary(ops.logSigmoid, f.logSigmoid, smooth)],
} satisfies Record<string, Case[]>;
