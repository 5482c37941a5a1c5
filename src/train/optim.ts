import { UserError } from "../core/errors.ts";
import { allocate, release } from "../core/memory.ts";
import { parallel } from "../core/parallel.ts";
import { powInt } from "../core/portable.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import { theEngine } from "../core/wasm.ts";
import { parameters as parametersOf } from "../nn/index.ts";

/** Options that every optimizer has, for all parameters or for one group. */
export interface GroupOptions {
  /** Learning rate. */
  lr?: number;
  /** L2 penalty ½·weightDecay·|p|², added to the gradient (AdamW: decoupled from it). */
  weightDecay?: number;
  /** L1 penalty l1·|p|, added to the gradient. */
  l1?: number;
}

/** Parameters with options of their own: a model (or part of one), or named tensors. */
export interface Group extends GroupOptions {
  parameters: object | ReadonlyMap<string, Tensor>;
}

interface Slot {
  name: string;
  parameter: Tensor;
  /** The group's learning rate relative to the optimizer's. */
  rate: number;
  weightDecay: number;
  l1: number;
  state: Record<string, Tensor>;
}

const GRAIN = 16384;

function checkOptions(optimizer: string, options: Record<string, number | undefined>): void {
  for (const [name, value = 0] of Object.entries(options))
    if (!(value >= 0 && Number.isFinite(value)))
      throw new UserError(`${optimizer}: ${name} must be ≥ 0, not ${value}.`);
}

/** What the optimizers share: groups, state, the order of parameters. State tensors are made here, outside any step's scope. */
export abstract class Optimizer {
  /** The learning rate; schedules set it. Groups with a rate of their own keep their ratio to it. */
  lr: number;
  /** Steps taken. */
  steps = 0;
  private readonly slots: Slot[] = [];

  constructor(
    target: object | readonly Group[],
    { lr, weightDecay = 0, l1 = 0 }: GroupOptions & { lr: number },
    state: readonly string[],
  ) {
    this.lr = lr;
    const groups = Array.isArray(target) ? (target as readonly Group[]) : [{ parameters: target }];
    const seen = new Set<Tensor>();
    const names = new Set<string>();
    checkOptions(new.target.name, { lr, weightDecay, l1 });
    groups.forEach((group: Group, at) => {
      checkOptions(new.target.name, { lr: group.lr, weightDecay: group.weightDecay, l1: group.l1 });
      if (group.lr !== undefined && lr === 0)
        throw new UserError(`${new.target.name}: group ${at} has its own lr, which scales with lr, and lr is 0.`);
      const named = group.parameters instanceof Map ? group.parameters : parametersOf(group.parameters);
      for (const [own, parameter] of named as ReadonlyMap<string, Tensor>) {
        // Two parts of a model may both have a "weight"; state is kept by name.
        const name = names.has(own) ? `group${at}.${own}` : own;
        if (seen.has(parameter)) throw new UserError(`${new.target.name}: ${own} is in two groups.`);
        seen.add(parameter);
        names.add(name);
        this.slots.push({
          name,
          parameter,
          rate: group.lr === undefined ? 1 : group.lr / lr,
          weightDecay: group.weightDecay ?? weightDecay,
          l1: group.l1 ?? l1,
          state: Object.fromEntries(state.map((key) => [key, zeros(parameter.shape)])),
        });
      }
    });
    if (this.slots.length === 0) throw new UserError(`${new.target.name}: the model has no parameters.`);
  }

  /** The trained tensors, in the order in which `step` takes their gradients. */
  get parameters(): Tensor[] {
    return this.slots.map((slot) => slot.parameter);
  }

  get names(): string[] {
    return this.slots.map((slot) => slot.name);
  }

  /** One update in place. Gradients stand in the order of `parameters`; an L1 penalty is added to them in place. */
  step(gradients: readonly Tensor[]): void {
    if (gradients.length !== this.slots.length)
      throw new UserError(`Optimizer.step: ${gradients.length} gradients for ${this.slots.length} parameters.`);
    this.steps++;
    this.slots.forEach((slot, i) => {
      const { parameter, l1, rate } = slot;
      const g = gradients[i];
      if (l1 > 0) parallel("addSigns", parameter.size, GRAIN, g.ptr, parameter.ptr, l1);
      this.update(parameter, g, slot.state, this.lr * rate, slot.weightDecay);
    });
  }

  /** For schedules that cycle it: SGD's momentum, Adam's β₁. */
  setMomentum(_value: number): void {
    throw new UserError(`${this.constructor.name} has no momentum for the schedule to cycle.`);
  }

  protected abstract update(p: Tensor, g: Tensor, state: Record<string, Tensor>, lr: number, weightDecay: number): void;

  /** Everything that a checkpoint needs beside the weights. */
  stateDict(): { steps: number; lr: number; tensors: Map<string, Tensor> } {
    const tensors = new Map<string, Tensor>();
    for (const { name, state } of this.slots)
      for (const [key, tensor] of Object.entries(state)) tensors.set(`${name}.${key}`, tensor);
    return { steps: this.steps, lr: this.lr, tensors };
  }

  loadStateDict({
    steps,
    lr,
    tensors,
  }: {
    steps: number;
    lr: number;
    tensors: ReadonlyMap<string, ArrayLike<number>>;
  }): void {
    for (const [name, tensor] of this.stateDict().tensors) {
      const values = tensors.get(name);
      if (!values)
        throw new UserError(
          `The checkpoint has no optimizer state for ${name}.`,
          "It was written with another optimizer.",
        );
      tensor.set(values);
    }
    this.steps = steps;
    this.lr = lr;
  }
}

export interface SgdOptions extends GroupOptions {
  momentum?: number;
  /** Share of the gradient kept out of the momentum; dampening = momentum gives the averaging form m = βm + (1 − β)g. */
  dampening?: number;
  /** Look ahead along the momentum. */
  nesterov?: boolean;
}

/** Stochastic gradient descent with PyTorch's momentum: v ← μv + (1 − dampening)g (v = g at first), p ← p − lr·v. */
export class Sgd extends Optimizer {
  private readonly options: Required<Pick<SgdOptions, "momentum" | "dampening" | "nesterov">> & { buffered: boolean };

  constructor(
    target: object | readonly Group[],
    { lr = 1e-2, momentum = 0, dampening = 0, nesterov = false, ...rest }: SgdOptions = {},
  ) {
    checkOptions("Sgd", { momentum, dampening });
    if (nesterov && (momentum === 0 || dampening !== 0))
      throw new UserError("Sgd: nesterov needs momentum > 0 and dampening 0.");
    super(target, { lr, ...rest }, momentum > 0 ? ["momentum_buffer"] : []);
    this.options = { momentum, dampening, nesterov, buffered: momentum > 0 };
  }

  override setMomentum(value: number): void {
    if (!this.options.buffered) super.setMomentum(value);
    this.options.momentum = value;
  }

  protected update(p: Tensor, g: Tensor, state: Record<string, Tensor>, lr: number, weightDecay: number): void {
    const { momentum, dampening, nesterov } = this.options;
    const v = state.momentum_buffer?.ptr ?? 0;
    const first = this.steps === 1 ? 1 : 0;
    parallel("sgd", p.size, GRAIN, p.ptr, g.ptr, v, lr, momentum, dampening, weightDecay, nesterov ? 1 : 0, first);
  }
}

export interface AdamOptions extends GroupOptions {
  betas?: readonly [number, number];
  eps?: number;
  /** Use the largest second moment so far (Reddi, Kale & Kumar 2018). */
  amsgrad?: boolean;
}

/** Adam. Kingma & Ba, ICLR 2015. */
export class Adam extends Optimizer {
  private betas: readonly [number, number];
  private readonly eps: number;

  constructor(target: object | readonly Group[], options: AdamOptions = {}) {
    const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, amsgrad = false, ...rest } = options;
    for (const beta of betas)
      if (!(beta >= 0 && beta < 1)) throw new UserError(`${new.target.name}: betas must be in [0, 1), not ${beta}.`);
    checkOptions(new.target.name, { eps });
    super(target, { lr, ...rest }, ["exp_avg", "exp_avg_sq", ...(amsgrad ? ["max_exp_avg_sq"] : [])]);
    this.betas = betas;
    this.eps = eps;
  }

  override setMomentum(value: number): void {
    this.betas = [value, this.betas[1]];
  }

  protected update(p: Tensor, g: Tensor, state: Record<string, Tensor>, lr: number, weightDecay: number): void {
    this.run(p, g, state, lr, weightDecay, 0);
  }

  protected run(p: Tensor, g: Tensor, state: Record<string, Tensor>, lr: number, decay: number, shrink: number): void {
    const [beta1, beta2] = this.betas;
    const step = lr / (1 - powInt(beta1, this.steps));
    const root = 1 / Math.sqrt(1 - powInt(beta2, this.steps));
    const [m, v, top] = [state.exp_avg.ptr, state.exp_avg_sq.ptr, state.max_exp_avg_sq?.ptr ?? 0];
    parallel("adam", p.size, GRAIN, p.ptr, g.ptr, m, v, top, step, root, beta1, beta2, this.eps, decay, shrink);
  }
}

/** Adam with weight decay decoupled from the gradient: p ← (1 − lr·weightDecay)·p first. Loshchilov & Hutter, ICLR 2019. */
export class AdamW extends Adam {
  constructor(target: object | readonly Group[], { weightDecay = 1e-2, ...options }: AdamOptions = {}) {
    super(target, { weightDecay, ...options });
  }

  protected override update(
    p: Tensor,
    g: Tensor,
    state: Record<string, Tensor>,
    lr: number,
    weightDecay: number,
  ): void {
    this.run(p, g, state, lr, 0, lr * weightDecay);
  }
}

export interface RmspropOptions extends GroupOptions {
  alpha?: number;
  eps?: number;
  momentum?: number;
}

/** RMSprop, PyTorch's form. Hinton, lecture 6e, 2012. */
export class Rmsprop extends Optimizer {
  private readonly options: Required<Pick<RmspropOptions, "alpha" | "eps" | "momentum">>;

  constructor(
    target: object | readonly Group[],
    { lr = 1e-2, alpha = 0.99, eps = 1e-8, momentum = 0, ...rest }: RmspropOptions = {},
  ) {
    checkOptions("Rmsprop", { alpha, eps, momentum });
    super(target, { lr, ...rest }, momentum > 0 ? ["square_avg", "momentum_buffer"] : ["square_avg"]);
    this.options = { alpha, eps, momentum };
  }

  protected update(p: Tensor, g: Tensor, state: Record<string, Tensor>, lr: number, weightDecay: number): void {
    const { alpha, eps, momentum } = this.options;
    const [v, b] = [state.square_avg.ptr, state.momentum_buffer?.ptr ?? 0];
    parallel("rmsprop", p.size, GRAIN, p.ptr, g.ptr, v, b, lr, alpha, eps, weightDecay, momentum);
  }
}

export interface AdagradOptions extends GroupOptions {
  lrDecay?: number;
  eps?: number;
}

/** Adagrad. Duchi, Hazan & Singer, JMLR 2011. */
export class Adagrad extends Optimizer {
  private readonly lrDecay: number;
  private readonly eps: number;

  constructor(
    target: object | readonly Group[],
    { lr = 1e-2, lrDecay = 0, eps = 1e-10, ...rest }: AdagradOptions = {},
  ) {
    checkOptions("Adagrad", { lrDecay, eps });
    super(target, { lr, ...rest }, ["sum"]);
    this.lrDecay = lrDecay;
    this.eps = eps;
  }

  protected update(p: Tensor, g: Tensor, state: Record<string, Tensor>, lr: number, weightDecay: number): void {
    const rate = lr / (1 + (this.steps - 1) * this.lrDecay);
    parallel("adagrad", p.size, GRAIN, p.ptr, g.ptr, state.sum.ptr, rate, this.eps, weightDecay);
  }
}

/** Euclidean norm of all gradients together, in f64. */
export function gradientNorm(gradients: readonly Tensor[]): number {
  let total = 0;
  for (const g of gradients) {
    const blocks = Math.ceil(g.size / 4096);
    const partial = allocate(Math.max(8, blocks * 8));
    parallel("sumSquares", blocks, 4, partial.ptr, g.ptr, g.size);
    const sums = new Float64Array(theEngine().memory.buffer, partial.ptr, blocks);
    for (let i = 0; i < blocks; i++) total += sums[i];
    release(partial);
  }
  return Math.sqrt(total);
}

/** Scales all gradients in place so that their common norm is at most `max`. Returns the norm before. */
export function clipGradientNorm(gradients: readonly Tensor[], max: number): number {
  const norm = gradientNorm(gradients);
  const scale = max / (norm + 1e-6);
  if (scale < 1) for (const g of gradients) parallel("affine", g.size, GRAIN, g.ptr, g.ptr, scale, 0);
  return norm;
}

/** Limits every element of the gradients in place to [−max, max]. */
export function clipGradientValue(gradients: readonly Tensor[], max: number): void {
  for (const g of gradients) parallel("clamp", g.size, GRAIN, g.ptr, g.ptr, -max, max);
}

/**
 * Scales the rows of a weight [out, …] in place so that none is longer than `max`: call it after a step.
 * Srivastava et al., JMLR 2014, §5.1 (max-norm regularisation).
 */
export function limitRowNorms(weight: Tensor, max: number): void {
  if (!(max > 0)) throw new UserError(`limitRowNorms: max must be above 0, not ${max}.`);
  const rows = weight.shape[0] ?? 1;
  const width = weight.size / rows;
  const { data } = weight;
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * width, (r + 1) * width);
    let squares = 0;
    for (const w of row) squares += w * w;
    const scale = max / Math.sqrt(squares);
    if (scale < 1) for (let i = 0; i < width; i++) row[i] *= scale;
  }
}
