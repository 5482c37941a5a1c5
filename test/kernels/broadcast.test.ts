import { describe, expect, test } from "vitest";
import { loadKernels, targets } from "./load.ts";
import { bits } from "./ulp.ts";

const binary: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  gt: (a, b) => Number(a > b),
  ge: (a, b) => Number(a >= b),
};

interface Layout {
  sizes: number[];
  inner: number;
  /** For each operand: its outer strides, then its inner stride. */
  strides: number[][];
}

/** Layouts of operands that have or lack each axis, with rows of every remainder modulo 4. */
function* layouts(operands: number): Generator<Layout> {
  for (const sizes of [[], [5], [3, 4], [2, 3, 2]])
    for (const inner of [1, 2, 3, 4, 5, 7, 8, 18])
      for (let pattern = 0; pattern < 2 ** operands; pattern++) {
        const axes = [...sizes, inner];
        const strides = Array.from({ length: operands }, (_, operand) => {
          let stride = 1;
          const own: number[] = [];
          for (let axis = axes.length - 1; axis >= 0; axis--) {
            const present = (pattern >> operand) & 1 ? axis % 2 === axes.length % 2 : axis % 2 !== axes.length % 2;
            const kept = present || pattern === 2 ** operands - 1;
            own.unshift(kept ? stride : 0);
            if (kept) stride *= axes[axis];
          }
          return own;
        });
        yield { sizes, inner, strides };
      }
}

describe.each(targets)("%s build", (target) => {
  const kernels = loadKernels(target, 1 << 16);
  const next = bits(11);
  const special = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, 1, -1];
  const fill = (block: Float32Array) => {
    for (let i = 0; i < block.length; i++)
      block[i] = next() % 4 === 0 ? special[next() % special.length] : (next() / 2 ** 32 - 0.5) * 4;
    return block;
  };
  const y = kernels.floats(512);
  const operands = [kernels.floats(256), kernels.floats(256), kernels.floats(256)];
  const dims = kernels.ints(new Array(16).fill(0));

  test.each(Object.keys(binary))("%s, flat", (name) => {
    const [a, b] = operands.map(fill);
    kernels.run(name, 16, 60, y.fill(-7), a, b);
    const exact = Array.from(a, (v, i) => Math.fround(binary[name](v, b[i])));
    expect(Array.from(y.subarray(16, 60))).toEqual(exact.slice(16, 60));
    expect([y[15], y[64]]).toEqual([-7, -7]);
    kernels.run(name, 64, 64, y, a, b);
    expect(y[64]).toBe(-7);
  });

  /** Runs rows [begin, end) of a broadcast kernel and compares every float of y, written or not. */
  function check(name: string, { sizes, inner, strides }: Layout, f: (...v: number[]) => number): void {
    const used = operands.slice(0, strides.length).map(fill);
    dims.fill(-1);
    dims.set([...sizes, ...strides.flatMap((own) => own.slice(0, -1))]);
    const rows = sizes.reduce((product, size) => product * size, 1);
    const begin = rows > 3 ? 1 : 0;
    const end = rows > 3 ? rows - 1 : rows;
    y.fill(-7);
    const inners = strides.map((own) => own[own.length - 1]);
    kernels.run(`${name}Broadcast`, begin, end, y, ...used, inner, ...inners, sizes.length, dims);
    const exact = Array.from(y, (_, at) => {
      if (at < begin * inner || at >= end * inner) return -7;
      let rest = Math.floor(at / inner);
      const index = [at % inner];
      for (const size of [...sizes].reverse()) {
        index.unshift(rest % size);
        rest = Math.floor(rest / size);
      }
      const values = used.map((block, k) => block[index.reduce((sum, i, axis) => sum + i * strides[k][axis], 0)]);
      return Math.fround(f(...values));
    });
    expect(Array.from(y), JSON.stringify({ sizes, inner, strides })).toEqual(exact);
  }

  test.each(Object.keys(binary))("%sBroadcast: any layout, exactly its rows", (name) => {
    for (const layout of layouts(2)) check(name, layout, binary[name] as (...v: number[]) => number);
  });

  test("powBroadcast agrees with pow", () => {
    const [a, b] = operands.map(fill);
    dims.set([2, 19, 19]);
    kernels.run("powBroadcast", 0, 2, y, a, b, 19, 1, 1, 1, dims);
    const rows = Array.from(y.subarray(0, 38));
    kernels.run("pow", 0, 38, y, a, b);
    expect(rows).toEqual(Array.from(y.subarray(0, 38)));
  });

  test("where, flat and by rows: NaN and every other non-zero is true", () => {
    const [c, a, b] = operands.map(fill);
    const choose = (v: number, left: number, right: number) => (v !== 0 ? left : right);
    kernels.run("where", 16, 60, y.fill(-7), c, a, b);
    expect(Array.from(y.subarray(16, 60))).toEqual(Array.from(c, (v, i) => choose(v, a[i], b[i])).slice(16, 60));
    expect([y[15], y[64]]).toEqual([-7, -7]);
    for (const layout of layouts(3)) check("where", layout, choose as (...v: number[]) => number);
  });
});
