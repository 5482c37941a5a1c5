import { sizeOf } from "../../src/core/shape.ts";
import * as ops from "../../src/ops/index.ts";
import { reflect } from "../reference/image.ts";
import { axisOf, type Nd, permute, reshape } from "../reference/nd.ts";
import { concat, flip, pad, roll, slice } from "../reference/structure.ts";
import { type Case, type Draw, unary } from "./draw.ts";

/** `shape` with axes merged or split at random; one size may become −1. */
function otherShape(d: Draw, shape: readonly number[]): number[] {
  const size = sizeOf(shape);
  const [first = 1, second = 1, ...rest] = shape;
  const flat = d.chance(0.5) ? [first * second, ...rest] : [1, second * first, 1, ...rest];
  if (size > 0 && d.chance(0.5)) flat[d.int(0, flat.length - 1)] = -1;
  return flat;
}

/** Tensors that agree outside an axis. */
function joinable(d: Draw): { xs: Nd[]; axis: number } {
  const shape = d.shape(1, 3);
  const axis = d.axis(shape);
  const at = axisOf(shape, axis);
  const xs = Array.from({ length: d.int(1, 4) }, () => {
    return d.values(shape.map((n, i) => (i === at ? d.size({ most: 9 }) : n)));
  });
  return { xs, axis };
}

const parts = (x: Nd, axis: number, sizes: readonly number[]): Nd[] => {
  let start = 0;
  return sizes.map((n) => slice(x, axis, start, (start += n)));
};

export const LAYOUT = {
  reshape: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(0, 4));
        const shape = otherShape(d, x.shape);
        const size = shape.reduce((p, n) => (n < 0 ? p : p * n), 1);
        return {
          attrs: { shape },
          inputs: [x],
          run: ([x]) => ops.reshape(x, { shape }),
          reference: ([x]) =>
            reshape(
              x,
              shape.map((n) => (n < 0 ? x.data.length / size : n)),
            ),
        };
      },
    },
  ],
  permute: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(0, 5));
        const rank = x.shape.length;
        const axes = d.permutation(rank).map((a) => (d.chance(0.5) ? a : a - rank));
        return {
          attrs: { axes },
          inputs: [x],
          run: ([x]) => ops.permute(x, { axes }),
          reference: ([x]) => permute(x, axes),
        };
      },
    },
  ],
  transpose: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(2, 4));
        const axes = d.chance(0.5) ? undefined : ([d.axis(x.shape), d.axis(x.shape)] as const);
        const [a, b] = (axes ?? [-2, -1]).map((axis) => axisOf(x.shape, axis));
        const order = [...x.shape.keys()].map((i) => (i === a ? b : i === b ? a : i));
        return {
          attrs: { axes },
          inputs: [x],
          run: ([x]) => ops.transpose(x, { axes }),
          reference: ([x]) => permute(x, order),
        };
      },
    },
  ],
  slice: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(1, 4));
        const axis = d.axis(x.shape);
        const n = x.shape[axisOf(x.shape, axis)];
        const from = d.int(0, n);
        const to = d.int(from, n);
        const range = {
          axis,
          start: from === 0 && d.chance(0.5) ? undefined : from < n && d.chance(0.3) ? from - n : from,
          end: to === n && d.chance(0.5) ? undefined : to < n && d.chance(0.3) ? to - n : to,
        };
        return {
          attrs: range,
          inputs: [x],
          run: ([x]) => ops.slice(x, range),
          reference: ([x]) => slice(x, axis, from, to),
        };
      },
    },
  ],
  pad: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(1, 4));
        const attrs = { axis: d.axis(x.shape), before: d.int(0, 5), after: d.int(0, 5) };
        return {
          attrs,
          inputs: [x],
          run: ([x]) => ops.pad(x, attrs),
          reference: ([x]) => pad(x, attrs.axis, attrs.before, attrs.after),
        };
      },
    },
    {
      draw(d) {
        const x = d.values(d.shape(1, 3));
        const attrs = { axis: d.axis(x.shape), after: d.int(0, 5), value: -1.5 };
        return {
          attrs,
          inputs: [x],
          run: ([x]) => ops.pad(x, attrs),
          reference: ([x]) => pad(x, attrs.axis, 0, attrs.after, attrs.value),
        };
      },
    },
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(1, 4));
        const axis = d.axis(x.shape);
        const at = axisOf(x.shape, axis);
        const most = Math.max(0, Math.min(5, x.shape[at] - 1));
        const attrs = { axis, before: d.int(0, most), after: d.int(0, most), mode: "reflect" as const };
        return {
          attrs,
          inputs: [x],
          run: ([x]) => ops.pad(x, attrs),
          reference: ([x]) => reflect(x, at, attrs.before, attrs.after),
        };
      },
    },
  ],
  concat: [
    {
      linear: "jointly",
      draw(d) {
        const { xs, axis } = joinable(d);
        return {
          attrs: { axis },
          inputs: xs,
          run: (xs) => ops.concat(xs, { axis }),
          reference: (xs) => concat(xs, axis),
        };
      },
    },
  ],
  stack: [
    {
      linear: "jointly",
      draw(d) {
        const shape = d.shape(0, 3);
        const axis = d.int(-shape.length - 1, shape.length);
        const at = axis < 0 ? axis + shape.length + 1 : axis;
        const lifted = (x: Nd): Nd => reshape(x, [...shape.slice(0, at), 1, ...shape.slice(at)]);
        return {
          attrs: { axis },
          inputs: Array.from({ length: d.int(1, 4) }, () => d.values(shape)),
          run: (xs) => ops.stack(xs, { axis }),
          reference: (xs) => concat(xs.map(lifted), at),
        };
      },
    },
  ],
  split: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(1, 3));
        const axis = d.axis(x.shape);
        const sizes: number[] = [];
        for (let left = x.shape[axisOf(x.shape, axis)]; left > 0 || sizes.length === 0; left -= sizes.at(-1)!)
          sizes.push(sizes.length > 3 ? left : d.int(0, left));
        return {
          attrs: { axis, sizes },
          inputs: [x],
          run: ([x]) => ops.split(x, { sizes, axis }),
          reference: ([x]) => parts(x, axis, sizes),
        };
      },
    },
  ],
  chunk: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(1, 3, { empty: false }));
        const attrs = { count: d.int(1, 5), axis: d.axis(x.shape) };
        const n = x.shape[axisOf(x.shape, attrs.axis)];
        const size = Math.ceil(n / attrs.count);
        const sizes: number[] = [];
        for (let left = n; left > 0; left -= size) sizes.push(Math.min(left, size));
        return {
          attrs,
          inputs: [x],
          run: ([x]) => ops.chunk(x, attrs),
          reference: ([x]) => parts(x, attrs.axis, sizes),
        };
      },
    },
  ],
  unsqueeze: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(0, 3));
        const axis = d.int(-x.shape.length - 1, x.shape.length);
        const at = axis < 0 ? axis + x.shape.length + 1 : axis;
        return {
          attrs: { axis },
          inputs: [x],
          run: ([x]) => ops.unsqueeze(x, { axis }),
          reference: ([x]) => reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]),
        };
      },
    },
  ],
  squeeze: [
    {
      linear: "jointly",
      draw(d) {
        const shape = d.shape(1, 4).map((n) => (d.chance(0.4) ? 1 : n));
        const axis = shape.lastIndexOf(1);
        const attrs = axis < 0 || d.chance(0.5) ? {} : { axis };
        const rest = shape.filter((n, i) => (attrs.axis === undefined ? n !== 1 : i !== axis));
        return {
          attrs,
          inputs: [d.values(shape)],
          run: ([x]) => ops.squeeze(x, attrs),
          reference: ([x]) => reshape(x, rest),
        };
      },
    },
  ],
  flatten: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(1, 4));
        const start = d.axis(x.shape);
        const at = axisOf(x.shape, start);
        const shape = [...x.shape.slice(0, at), sizeOf(x.shape.slice(at))];
        return {
          attrs: { start },
          inputs: [x],
          run: ([x]) => ops.flatten(x, { start }),
          reference: ([x]) => reshape(x, shape),
        };
      },
    },
    unary(
      (x) => ops.reshape(ops.flatten(x), { shape: x.shape }),
      (v) => v,
      { linear: "jointly" },
    ),
  ],
  flip: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(0, 4));
        const axes = d.chance(0.3) ? undefined : d.axes(x.shape);
        return {
          attrs: { axes },
          inputs: [x],
          run: ([x]) => ops.flip(x, { axes }),
          reference: ([x]) => flip(x, axes ?? [...x.shape.keys()]),
        };
      },
    },
  ],
  roll: [
    {
      linear: "jointly",
      draw(d) {
        const x = d.values(d.shape(1, 4));
        const attrs = { shift: d.int(-40, 40), axis: d.axis(x.shape) };
        return {
          attrs,
          inputs: [x],
          run: ([x]) => ops.roll(x, attrs),
          reference: ([x]) => roll(x, attrs.shift, attrs.axis),
        };
      },
    },
  ],
} satisfies Record<string, Case[]>;
