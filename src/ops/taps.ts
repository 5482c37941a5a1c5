import { allocate, f32View, i32View, release } from "../core/memory.ts";
import { type Op, op } from "../core/op.ts";
import { parallel } from "../core/parallel.ts";
import type { Tensor } from "../core/tensor.ts";
import { rowGrain } from "./strides.ts";

/** A sparse linear map of an axis of size `from` to one of size `to`, row by row: y[i] = Σ weight[e]·x[index[e]], ptr[i] ≤ e < ptr[i + 1]. */
export class Taps {
  private readonly ptr: number[] = [0];
  private readonly index: number[] = [];
  private readonly weight: number[] = [];
  private adjoint?: Taps;

  /** `row(i)` lists what y[i] is made of: positions with weights. */
  constructor(
    readonly from: number,
    readonly to: number,
    row: (i: number) => readonly (readonly [index: number, weight: number])[],
  ) {
    for (let i = 0; i < to; i++) {
      for (const [index, weight] of row(i)) {
        this.index.push(index);
        this.weight.push(weight);
      }
      this.ptr.push(this.index.length);
    }
  }

  get transposed(): Taps {
    if (this.adjoint) return this.adjoint;
    const columns = Array.from({ length: this.from }, () => [] as [number, number][]);
    for (let i = 0; i < this.to; i++)
      for (let e = this.ptr[i]; e < this.ptr[i + 1]; e++) columns[this.index[e]].push([i, this.weight[e]]);
    this.adjoint = new Taps(this.to, this.from, (j) => columns[j]);
    this.adjoint.adjoint = this;
    return this.adjoint;
  }

  get entries(): number {
    return this.index.length;
  }

  /** Floats and integers of 4 bytes that `write` takes. */
  get length(): number {
    return this.ptr.length + 2 * this.entries;
  }

  /** Puts ptr, index and weight at an address, one after the other, and returns theirs. */
  write(at: number): [ptr: number, index: number, weight: number] {
    const [index, weight] = [at + 4 * this.ptr.length, at + 4 * (this.ptr.length + this.entries)];
    i32View(at, this.ptr.length).set(this.ptr);
    i32View(index, this.entries).set(this.index);
    f32View(weight, this.entries).set(this.weight);
    return [at, index, weight];
  }
}

interface ResampleAttrs {
  rows: Taps;
  columns: Taps;
}

/** A linear map of the rows and one of the columns of each plane: x [N, C, H, W] → [N, C, H′, W′]. Its adjoint is itself with theirs. */
export const resample: Op<[x: Tensor], ResampleAttrs> = op("resample", {
  shape: ([[n, c]], { rows, columns }) => [n, c, rows.to, columns.to],
  forward(y, [x], { rows, columns }) {
    const [n, c, h, w] = x.shape;
    const work = allocate(4 * (n * c * w + rows.length + columns.length));
    const tables = work.ptr + 4 * n * c * w;
    const taps = [...rows.write(tables), ...columns.write(tables + 4 * rows.length)];
    const cost = w * rows.entries + rows.to * columns.entries;
    parallel("resample", n * c, rowGrain(cost), y.ptr, x.ptr, work.ptr, h, w, rows.to, columns.to, ...taps);
    release(work);
  },
  vjp: (g, _x, _y, { rows, columns }) => [resample(g, { rows: rows.transposed, columns: columns.transposed })],
});
