import { add, affine, mul, square, sum, type Tensor } from "../../src/index.ts";
import { type Nd, total } from "../reference/nd.ts";
import { type Case, Draw, type Sample, toTensor } from "./draw.ts";

/** Draws of each op, spread over its cases. */
const DRAWS = 56;

/**
 * A drawn call y = f(x) with random directions u, v of its inputs and weights w of its outputs. Its loss is L(x) = Σ w·(y + bend·y²):
 * bent, so that the cotangent that reaches the op depends on x and second order sees the vjp differentiated by both.
 */
export interface Trial {
  /** The call and its seed, for messages. */
  readonly text: string;
  readonly known: Case;
  readonly sample: Sample;
  readonly u: readonly Nd[];
  readonly v: readonly Nd[];
  readonly w: readonly Nd[];
  readonly bend: number;
}

export const asList = <T extends object>(x: T | T[]): T[] => (Array.isArray(x) ? x : [x]);

/** A function of the op's name and of i, so that a new op changes no other's samples. */
export function seedOf(name: string, i: number): number {
  let hash = 7;
  for (const c of name) hash = (hash * 31 + c.charCodeAt(0)) % 1_000_003;
  return hash * 1000 + i;
}

/** The trials of an op; `integers` replaces all numbers by −3 … 3, with which f32 computes exactly. */
export function* trials(name: string, cases: readonly Case[], integers = false): Generator<Trial> {
  for (let i = 0; i < DRAWS; i++) {
    const known = cases[i % cases.length];
    const d = new Draw(seedOf(name, i), Math.floor(i / cases.length) % 8);
    const random = (x: Nd): Nd => {
      return {
        shape: x.shape,
        data: x.data.map(() => (integers ? d.int(-3, 3) : Math.fround(2 * d.random() - 1))),
      };
    };
    const drawn = known.draw(d);
    const sample = integers ? { ...drawn, inputs: drawn.inputs.map(random) } : drawn;
    const shapes = sample.inputs.map((x) => `[${x.shape.join(", ")}]`).join(", ");
    const attrs = sample.attrs === undefined ? "" : ` ${JSON.stringify(sample.attrs)}`;
    const ys = expected(sample);
    yield {
      text: `${name}(${shapes})${attrs}, seed ${seedOf(name, i)}, kind ${d.kind}`,
      known,
      sample,
      u: sample.inputs.map(random),
      v: sample.inputs.map(random),
      w: ys.map(random),
      bend: integers ? 0 : 0.3 / Math.max(1, largest(ys)),
    };
  }
}

export const expected = ({ reference, inputs }: Sample): Nd[] => asList(reference(inputs));
export const computed = ({ run }: Sample, xs: readonly Tensor[]): Tensor[] => asList(run(xs));

/** Σ w·y by ops. */
export const weighted = (ys: readonly Tensor[], w: readonly Nd[]): Tensor =>
  ys.map((y, k) => sum(mul(y, toTensor(w[k])))).reduce((a, b) => add(a, b));

/** L by ops. */
export const lossOf = (ys: readonly Tensor[], { w, bend }: Trial): Tensor =>
  weighted(
    ys.map((y) => add(y, affine(square(y), { scale: bend, shift: 0 }))),
    w,
  );

export const dot = (a: readonly ArrayLike<number>[], b: readonly Nd[]): number =>
  total(a.flatMap((x, k) => Array.from(x, (p, i) => p * b[k].data[i])));

/** Σ |aᵢ·bᵢ|: what a sum of so many rounded terms is accurate relative to. */
export const scaleOf = (a: readonly ArrayLike<number>[], b: readonly Nd[]): number =>
  total(a.flatMap((x, k) => Array.from(x, (p, i) => Math.abs(p * b[k].data[i]))));

/** The largest finite magnitude. */
export const largest = (xs: readonly Nd[]): number =>
  xs.reduce((most, x) => x.data.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), most), 0);

/** L at x + s·u + t·v, by the reference. */
function shifted({ sample, u, v, w, bend }: Trial, s: number, t: number): number {
  const xs = sample.inputs.map((x, k) => ({
    shape: x.shape,
    data: x.data.map((p, i) => p + s * u[k].data[i] + t * v[k].data[i]),
  }));
  return dot(
    asList(sample.reference(xs)).map((y) => y.data.map((p) => p + bend * p * p)),
    w,
  );
}

/** Step of the differences. Their errors, of order h⁴ and of f64's rounding over h², are far below f32's. */
const STEP = 1e-3;

/** vᵀ∇L by central differences of the reference. */
export function slope(trial: Trial): number {
  const difference = (h: number): number => (shifted(trial, 0, h) - shifted(trial, 0, -h)) / (2 * h);
  return (4 * difference(STEP) - difference(2 * STEP)) / 3;
}

/** uᵀHv by central differences of the reference. */
export function curvature(trial: Trial): number {
  const corner = (s: number, t: number): number => shifted(trial, s, t);
  const difference = (h: number): number =>
    (corner(h, h) - corner(h, -h) - corner(-h, h) + corner(-h, -h)) / (4 * h * h);
  return (4 * difference(STEP) - difference(2 * STEP)) / 3;
}
