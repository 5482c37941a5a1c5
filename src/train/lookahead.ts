import { UserError } from "../core/errors.ts";
import { parallel } from "../core/parallel.ts";
import type { Tensor } from "../core/tensor.ts";
import { Optimizer } from "./optim.ts";

/**
 * k steps of another optimizer, then one of slow weights a share α of the way to where those led; all go on from there. The slow
 * weights begin at the initial ones. Zhang et al., NeurIPS 2019.
 */
export class Lookahead extends Optimizer {
  private readonly alpha: number;
  private readonly k: number;

  constructor(
    private readonly inner: Optimizer,
    { alpha = 0.5, k = 6 }: { alpha?: number; k?: number } = {},
  ) {
    if (!(alpha > 0 && alpha <= 1)) throw new UserError(`Lookahead: alpha must be in (0, 1], not ${alpha}.`);
    if (!(Number.isInteger(k) && k >= 1)) throw new UserError(`Lookahead: k must be a whole number ≥ 1, not ${k}.`);
    const named = new Map(inner.names.map((name, i) => [name, inner.parameters[i]]));
    super([{ parameters: named }], { lr: inner.lr }, ["slow"]);
    this.alpha = alpha;
    this.k = k;
    const own = super.stateDict().tensors;
    for (const [name, p] of named) own.get(`${name}.slow`)!.set(p.data);
  }

  override step(gradients: readonly Tensor[]): void {
    this.inner.lr = this.lr;
    this.inner.step(gradients);
    super.step(gradients);
  }

  override setMomentum(value: number): void {
    this.inner.setMomentum(value);
  }

  protected update(p: Tensor, _g: Tensor, { slow }: Record<string, Tensor>): void {
    if (this.steps % this.k !== 0) return;
    parallel("lerp", p.size, 16384, slow.ptr, p.ptr, this.alpha);
    p.set(slow.data);
  }

  override stateDict(): ReturnType<Optimizer["stateDict"]> {
    const { tensors, ...rest } = super.stateDict();
    return { ...rest, tensors: new Map([...this.inner.stateDict().tensors, ...tensors]) };
  }

  override loadStateDict(state: Parameters<Optimizer["loadStateDict"]>[0]): void {
    super.loadStateDict(state);
    this.inner.loadStateDict(state);
  }
}
