import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { type Indices, indices, type Tensor, tensor } from "../../src/index.ts";
import { type Nd, nd } from "../reference/nd.ts";
import type { Pairs } from "../reference/structure.ts";

/** One drawn call of an op. */
export interface Sample {
  /** What the op is differentiated by. Everything else (conditions, labels, attributes) sits in the closures. */
  inputs: readonly Nd[];
  run(xs: readonly Tensor[]): Tensor | Tensor[];
  /** The same in f64. */
  reference(xs: readonly Nd[]): Nd | Nd[];
  /** Attributes, for messages. */
  attrs?: unknown;
}

/** A way to call an op: how to draw a sample, and what is known of the op. */
export interface Case {
  draw(d: Draw): Sample;
  /** Allowed errors relative to the scale of what is compared; the defaults are in ops.test.ts. */
  tolerance?: { value?: number; gradient?: number; second?: number };
  /** Linear in all inputs together, or in each: then ⟨f(x), w⟩ = ⟨x, gradient⟩, exactly so for small whole numbers. */
  linear?: "jointly" | "in each";
  /** Piecewise constant: gradients are 0, and differences across a step say nothing. */
  constant?: boolean;
}

interface Range {
  low?: number;
  high?: number;
  /** Points that values keep a distance of `gap` from: kinks and poles. */
  away?: readonly number[];
  gap?: number;
}

/** Every size around the SIMD widths 4, 8, 16, and the tiles' 6 and 5. */
const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33];

/** The random choices of one sample: a function of `seed`. `kind` walks through the special shapes. */
export class Draw {
  constructor(
    private state: number,
    /** 0: one axis is empty; 1: all sizes are 1; 2: one axis is long; else anything. */
    readonly kind: number,
    /** Sizes that split into many chunks; no reference is computed for them. */
    readonly large = false,
  ) {}

  /** A number in [0, 1): mulberry32. */
  random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from low to high, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)];
  }

  chance(p: number): boolean {
    return this.random() < p;
  }

  /** A size for one axis that the op has a name for (m, n, k). */
  size({ empty = true, most = 33 }: { empty?: boolean; most?: number } = {}): number {
    if (this.large) return this.int(most, 4 * most);
    if (this.kind === 0 && empty && this.chance(0.4)) return 0;
    if (this.kind === 1) return 1;
    return Math.min(most, this.pick(SIZES));
  }

  /** A shape of some 1 … 1500 items (large: 2¹⁸ elements, `per` to an item). */
  shape(minRank: number, maxRank: number, { empty = true, per = 1 } = {}): number[] {
    const rank = this.int(minRank, maxRank);
    if (this.large) return this.largeShape(Math.max(rank, 1), 18 - Math.log2(per));
    if (this.kind === 1) return new Array<number>(rank).fill(1);
    const shape: number[] = [];
    for (let d = 0, left = 300; d < rank; d++) {
      const n = Math.min(this.pick(SIZES), left);
      left = Math.floor(left / n);
      shape.push(n);
    }
    if (rank > 0 && this.kind === 0 && empty) shape[this.int(0, rank - 1)] = 0;
    if (rank > 0 && this.kind === 2) {
      const product = sizeOf(shape);
      const at = this.int(0, rank - 1);
      shape[at] = Math.max(shape[at], Math.floor(this.int(400, 1500) / (product / shape[at])));
    }
    return shape;
  }

  private largeShape(rank: number, bits: number): number[] {
    const weights = Array.from({ length: rank }, () => 0.2 + this.random());
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((w) => Math.ceil(2 ** ((bits * w) / sum)));
  }

  /** Shapes of `count` operands that broadcast with each other. */
  broadcast(count: number, minRank = 0): number[][] {
    const whole = this.shape(minRank, 4);
    if (this.chance(0.3)) return new Array(count).fill(whole);
    return Array.from({ length: count }, () => {
      const own = whole.map((n) => (this.chance(0.3) ? 1 : n));
      return own.slice(this.chance(0.5) ? 0 : this.int(0, Math.max(0, own.length - minRank)));
    });
  }

  axis(shape: Shape): number {
    const at = this.int(0, shape.length - 1);
    return this.chance(0.5) ? at : at - shape.length;
  }

  /** Some of the axes, each once, in any order, some counted from the end; possibly none. */
  axes(shape: Shape): number[] {
    return this.permutation(shape.length)
      .filter(() => this.chance(0.5))
      .map((d) => (this.chance(0.5) ? d : d - shape.length));
  }

  /** Numbers that f32 holds exactly. */
  values(shape: Shape, { low = -2, high = 2, away = [], gap = 0.05 }: Range = {}): Nd {
    const draw = (): number => {
      for (;;) {
        const v = Math.fround(low + (high - low) * this.random());
        if (away.every((k) => Math.abs(v - k) >= gap)) return v;
      }
    };
    return nd(shape, Float64Array.from({ length: sizeOf(shape) }, draw));
  }

  /** Numbers that are all different by more than 0.03, in random order. */
  distinct(shape: Shape): Nd {
    const n = sizeOf(shape);
    const order = this.permutation(n);
    return nd(
      shape,
      Float64Array.from(order, (at) => Math.fround((at - n / 2) / 16 + this.random() / 64)),
    );
  }

  permutation(n: number): number[] {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(0, i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  /** 0 or 1. */
  mask(shape: Shape): Nd {
    return nd(
      shape,
      Float64Array.from({ length: sizeOf(shape) }, () => this.int(0, 1)),
    );
  }

  /** `count` whole numbers from `low` to n − 1. */
  index(count: number, n: number, low = 0): number[] {
    return n <= low ? [] : Array.from({ length: count }, () => this.int(low, n - 1));
  }

  /** A sparse matrix with duplicates and with empty rows. */
  pairs(rows: number, cols: number): Pairs {
    const count = rows * cols === 0 ? 0 : this.int(0, 4 * rows);
    return { rows, cols, row: this.index(count, rows), col: this.index(count, cols) };
  }
}

export const toTensor = (x: Nd): Tensor => tensor(x.data, x.shape);
export const toIndices = (values: readonly number[]): Indices => indices(values);

/** Whole numbers as a tensor, so that positions are compared like values. */
export const positions = (index: Indices, shape: Shape): Tensor => tensor(index.toArray(), shape);

/** A case of an op that works on each element. */
export function unary(
  run: (x: Tensor) => Tensor,
  f: (v: number) => number,
  { range, ...known }: Omit<Case, "draw"> & { range?: Range } = {},
): Case {
  return {
    ...known,
    draw: (d) => ({
      inputs: [d.values(d.shape(0, 4), range)],
      run: ([x]) => run(x),
      reference: ([x]) => ({ shape: x.shape, data: x.data.map((v) => f(v)) }),
    }),
  };
}
