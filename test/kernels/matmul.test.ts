import { beforeEach, describe, expect, test, vi } from "vitest";
import { gemm, type Product } from "../../src/core/gemm.ts";
import { type Kernels, loadKernels, targets } from "./load.ts";

/** The driver runs on whichever build the test has chosen, its jobs cut into the chunks that the test wants. */
const engine = vi.hoisted(() => ({
  kernels: undefined as unknown as Kernels,
  variant: "simd",
  chunked: false,
  used: new Set<string>(),
  workspace: 0,
}));
vi.mock("../../src/core/wasm.ts", () => ({ theEngine: () => engine }));
vi.mock("../../src/core/memory.ts", () => ({
  allocate: (bytes: number) => {
    engine.workspace = Math.max(engine.workspace, bytes);
    return { ptr: SCRATCH };
  },
  release: () => {},
}));
vi.mock("../../src/core/parallel.ts", () => ({
  parallel: (kernel: string, n: number, _grain: number, ...args: number[]) => {
    engine.used.add(kernel);
    for (const [begin, end] of ranges(n, engine.chunked)) engine.kernels.run(kernel, begin, end, ...args);
  },
}));

/** [0, n) whole, or from the back in chunks of 1 … 5. */
function ranges(n: number, chunked: boolean): [number, number][] {
  if (!chunked) return [[0, n]];
  const parts: [number, number][] = [];
  for (let end = n; end > 0; ) {
    const begin = Math.max(0, end - 1 - ((end * 7) % 5));
    parts.push([begin, end]);
    end = begin;
  }
  return parts;
}

/** Operands in [0, SCRATCH), workspace of 20 MiB behind them, and no more memory: reading past its end traps. */
const SCRATCH = 12 << 20;
const BYTES = 32 << 20;

let state = 1;
const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1;
const below = (n: number): number => Math.floor(((random() + 1) / 2) * n);

interface Options {
  transposeA?: boolean;
  transposeB?: boolean;
  accumulate?: boolean;
  bias?: boolean;
  relu?: boolean;
  batch?: number;
  sharedB?: boolean;
  /** Floats between C's rows, which must stay as they are. */
  gap?: number;
  /** a or b ends where the memory ends. */
  atEnd?: "a" | "b";
}

/** One product: random operands in the memory of the chosen build, and the f64 reference. */
function makeCase(m: number, n: number, k: number, options: Options = {}) {
  const { transposeA, transposeB, batch = 1, sharedB = false, gap = 0, atEnd } = options;
  const { buffer } = engine.kernels.memory;
  const ldc = n + gap;
  let at = 64;
  const place = (length: number, end: boolean): Float32Array => {
    const offset = end ? BYTES - 4 * length : at;
    if (!end) at += 4 * Math.ceil((length + 16) / 16) * 16;
    if (at > SCRATCH) throw new Error("the operands do not fit");
    const view = new Float32Array(buffer, offset, length);
    for (let i = 0; i < length; i++) view[i] = random();
    return view;
  };
  const c = place(batch * m * ldc, false);
  const bias = place(n, false);
  const a = place(batch * m * k, atEnd === "a");
  const b = place((sharedB ? 1 : batch) * k * n, atEnd === "b");
  const before = c.slice();
  const product: Product = {
    ...{ m, n, k, ldc, batch, strideA: m * k, strideB: sharedB ? 0 : k * n, strideC: m * ldc },
    ...(transposeA ? { ars: 1, acs: m } : { ars: k, acs: 1 }),
    ...(transposeB ? { brs: 1, bcs: k } : { brs: n, bcs: 1 }),
    accumulate: options.accumulate ?? false,
    bias: options.bias ? bias.byteOffset : 0,
    activation: options.relu ? "relu" : "none",
  };

  /** Every element of C within (k + 3)·2⁻²⁴·Σ|terms| of the f64 sum; what is not an element, unchanged. */
  const check = (): void => {
    const { ars, acs, brs, bcs } = product;
    const label = `${m}×${n}×${k} ${JSON.stringify(options)}`;
    for (let item = 0; item < batch; item++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < ldc; j++) {
          const o = (item * m + i) * ldc + j;
          if (j >= n) {
            if (!Object.is(c[o], before[o])) throw new Error(`${label}: touched the gap at ${[item, i, j]}`);
            continue;
          }
          const [start, shift] = [options.accumulate ? before[o] : 0, options.bias ? bias[j] : 0];
          let sum = start + shift;
          let magnitude = Math.abs(start) + Math.abs(shift);
          for (let p = 0; p < k; p++) {
            const term = a[item * m * k + i * ars + p * acs] * b[item * product.strideB! + p * brs + j * bcs];
            sum += term;
            magnitude += Math.abs(term);
          }
          if (options.relu) sum = Math.max(sum, 0);
          if (!(Math.abs(c[o] - sum) <= (k + 3) * 2 ** -24 * magnitude))
            throw new Error(`${label}: C[${[item, i, j]}] = ${c[o]}, not ${sum}`);
        }
  };
  return { a, b, c, before, product, check };
}

type Case = ReturnType<typeof makeCase>;

/** The driver, twice: chunked jobs must give the same bits. */
function multiply({ a, b, c, before, product }: Case): void {
  engine.chunked = true;
  gemm(c.byteOffset, a.byteOffset, b.byteOffset, product);
  const chunked = c.slice();
  c.set(before);
  engine.chunked = false;
  gemm(c.byteOffset, a.byteOffset, b.byteOffset, product);
  if (!Buffer.from(chunked.buffer).equals(Buffer.from(c.buffer, c.byteOffset, c.byteLength)))
    throw new Error(`${JSON.stringify(product)}: chunks change bits`);
}

const bit = (x: number, i: number): boolean => ((x >> i) & 1) === 1;

/** One kernel family, whole and chunked; the blocks are so small that every product crosses their borders. */
function run(kind: "packed" | "small" | "dot", { a, b, c, before, product }: Case): void {
  const { m, n, k, ars, acs, brs, bcs, ldc, batch, strideA, strideB, strideC } = product as Required<Product>;
  const end = [+product.accumulate!, product.bias!, product.activation === "relu" ? 1 : 0];
  const [x, y, z] = [
    [a.byteOffset, ars, acs, strideA],
    [b.byteOffset, brs, bcs, strideB],
    [c.byteOffset, ldc, strideC],
  ];
  const results = [true, false].map((chunked) => {
    const all = (kernel: string, units: number, ...args: number[]) => {
      for (const range of ranges(units, chunked)) engine.kernels.run(kernel, ...range, ...args);
    };
    c.set(before);
    if (kind === "packed") {
      const [rows, columns, kc] = [30, 8, 4];
      const [ra, cb, slices] = [Math.ceil(m / rows), Math.ceil(n / columns), Math.ceil(k / kc)];
      const packedB = SCRATCH + 4 * batch * slices * kc * ra * rows;
      const edges = packedB + 4 * batch * slices * kc * cb * columns;
      const sizes = [m, n, k, kc, rows, columns];
      all("gemmPack", batch * slices * (ra + cb), SCRATCH, packedB, ...x, ...y, ...sizes);
      all("gemmTiles", batch * ra * cb, ...z, SCRATCH, packedB, edges, ...sizes, ...end);
    } else if (kind === "small") all("gemmSmall", batch * m, ...z, ...x, ...y, m, n, k, ...end);
    else {
      const rest = [a.byteOffset, ars, strideA, b.byteOffset, bcs, strideB, m, n, k, ...end];
      all("gemmDot", batch * Math.ceil(n / 3), ...z, 0, ...rest);
    }
    return c.slice();
  });
  if (results.some((result) => result.some((value, i) => !Object.is(value, c[i]))))
    throw new Error("chunks change bits");
}

describe.each(targets)("gemm, %s build", (target) => {
  beforeEach(() => {
    state = 20260101;
    engine.kernels = loadKernels(target, BYTES / 4 - 32768);
    engine.variant = target;
    engine.used.clear();
    engine.workspace = 0;
    expect(engine.kernels.memory.buffer.byteLength).toBe(BYTES);
  });

  test.each(["packed", "small", "dot"] as const)("%s kernel: every shape up to the borders of its tiles", (kind) => {
    let turn = 0;
    for (let m = 1; m <= 14; m++)
      for (let n = 1; n <= 18; n++)
        for (const k of kind === "packed" ? [1, 3, 4, 5, 9] : [0, 1, 2, 3, 4, 5, 9])
          for (let transposes = 0; transposes < 4; transposes++) {
            if (kind === "dot" && transposes !== 2) continue;
            const [transposeA, transposeB] = [bit(transposes, 0), bit(transposes, 1)];
            const [accumulate, bias, relu] = [bit(++turn, 0), bit(turn, 1), bit(turn, 2)];
            const [batch, gap, atEnd] = [1 + (turn % 2), turn % 3, bit(turn, 3) ? ("a" as const) : ("b" as const)];
            const product = { transposeA, transposeB, accumulate, bias, relu, batch, gap, atEnd };
            const one = makeCase(m, n, k, kind === "packed" ? { ...product, atEnd: undefined } : product);
            run(kind, one);
            one.check();
          }
  });

  test("packing reads nothing past the operands", () => {
    for (let width = 1; width <= 40; width++)
      for (const k of [1, 3, 4, 6])
        for (let transposes = 0; transposes < 4; transposes++)
          for (const atEnd of ["a", "b"] as const) {
            const [transposeA, transposeB] = [bit(transposes, 0), bit(transposes, 1)];
            const one = makeCase(width, width, k, { transposeA, transposeB, atEnd });
            run("packed", one);
            one.check();
          }
  });

  test("random shapes, batches and layouts", () => {
    for (let turn = 0; turn < 80; turn++) {
      const one = makeCase(1 + below(140), 1 + below(150), 1 + below(turn % 4 ? 90 : 700), {
        transposeA: bit(turn, 0),
        transposeB: bit(turn, 1),
        accumulate: below(2) === 1,
        bias: below(2) === 1,
        relu: below(2) === 1,
        batch: 1 + below(3),
        sharedB: below(2) === 1,
        gap: below(3),
      });
      multiply(one);
      one.check();
    }
    expect([...engine.used].sort()).toContain("gemmTiles");
  });

  test.each([
    [61, 65, 513],
    [7, 1100, 300],
    [2101, 9, 70],
    [1, 1030, 520],
    [1030, 1, 520],
    [16, 33, 300],
    [33, 16, 300],
    [32, 70, 1025],
    [9, 40, 30000],
    [3, 5, 40],
  ])("%i × %i × %i crosses the borders of blocks and kernels", (m, n, k) => {
    for (let transposes = 0; transposes < 4; transposes++) {
      const [transposeA, transposeB] = [bit(transposes, 0), bit(transposes, 1)];
      const one = makeCase(m, n, k, { transposeA, transposeB, accumulate: transposeA, bias: true, relu: transposeB });
      multiply(one);
      one.check();
    }
  });

  test("batches that share no operand, one, or fold into a single product", () => {
    for (const [m, n, k] of [
      [64, 48, 40],
      [8, 8, 64],
      [1, 64, 64],
      [30, 30, 300],
    ])
      for (const sharedB of [false, true])
        for (const transposeA of [false, true])
          for (const transposeB of [false, true]) {
            const one = makeCase(m, n, k, { batch: 5, sharedB, transposeA, transposeB, bias: true, gap: 1 });
            multiply(one);
            one.check();
          }
  });

  test("empty products: nothing to do for m = 0 or n = 0; k = 0 leaves zeros, bias and activation", () => {
    for (const [m, n, k] of [
      [0, 5, 3],
      [5, 0, 3],
      [5, 3, 0],
      [40, 70, 0],
    ])
      for (let bits = 0; bits < 8; bits++) {
        const one = makeCase(m, n, k, { accumulate: bit(bits, 0), bias: bit(bits, 1), relu: bit(bits, 2) });
        multiply(one);
        one.check();
      }
  });

  test("a large product passes the residual test: C·x = A·(B·x)", () => {
    const [m, n, k] = [713, 421, 1111];
    const { a, b, c, product } = makeCase(m, n, k);
    gemm(c.byteOffset, a.byteOffset, b.byteOffset, product);
    const x = Float64Array.from({ length: n }, () => random());
    const times = (matrix: Float32Array, rows: number, v: Float64Array, size = (y: number) => y) =>
      Float64Array.from({ length: rows }, (_, i) =>
        v.reduce((sum, y, j) => sum + size(matrix[i * v.length + j]) * y, 0),
      );
    const [left, right] = [times(c, m, x), times(a, m, times(b, k, x))];
    const bound = times(a, m, times(b, k, x.map(Math.abs), Math.abs), Math.abs);
    for (let i = 0; i < m; i++) expect(Math.abs(left[i] - right[i])).toBeLessThanOrEqual((k + 3) * 2 ** -24 * bound[i]);
    expect(engine.used).toEqual(new Set(["gemmPack", "gemmTiles"]));
  });

  test("one NaN or ∞ stays in its row and column, also at the padded edges", () => {
    for (const [m, n, k] of [
      [7, 9, 4],
      [31, 67, 30],
      [3, 50, 64],
    ])
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
        for (const transposeB of [false, true]) {
          const { a, b, c, product } = makeCase(m, n, k, { transposeB });
          a[m * k - 1] = value;
          b[k * n - 1] = value;
          gemm(c.byteOffset, a.byteOffset, b.byteOffset, product);
          c.forEach((y, o) => {
            const clean = Math.floor(o / n) < m - 1 && o % n < n - 1;
            expect(Number.isFinite(y)).toBe(clean);
          });
        }
  });

  test("a huge m, n or k needs no huge workspace", () => {
    for (const [m, n, k] of [
      [100_000, 5, 8],
      [5, 100_000, 8],
      [40, 40, 30_000],
      [8, 8, 150_000],
    ]) {
      const { a, b, c, product } = makeCase(m, n, k, { transposeA: true });
      gemm(c.byteOffset, a.byteOffset, b.byteOffset, product);
    }
    expect(engine.used).toEqual(new Set(["gemmPack", "gemmTiles"]));
    expect(engine.workspace).toBeLessThanOrEqual(BYTES - SCRATCH);
  });
});
