import { UserError } from "./errors.ts";
import { type Block, closeScope, openScope, release, type Scope } from "./memory.ts";
import { type Gradients, type Node, noGrad, type Rule, record, registry, withRecording } from "./op.ts";
import { parallel } from "./parallel.ts";
import { sameShape } from "./shape.ts";
import { emit, ones, Tensor, zeros } from "./tensor.ts";

export interface GradOptions {
  /** Record the gradients themselves, so that they can be differentiated again: forces in a loss, Hessians. */
  differentiable?: boolean;
  /** The cotangent of y, for y of any shape. Default 1, for y of size 1. */
  gradOutput?: Tensor;
}

/**
 * ∂y/∂x for every x, by one walk of the tape backwards. An x that y does not depend on gets zeros.
 * The walk is a loop, not a recursion, so graphs may be of any depth.
 */
export function grad(y: Tensor, xs: readonly Tensor[], options: GradOptions = {}): Tensor[] {
  const { differentiable = false, gradOutput } = options;
  if (!gradOutput && y.size !== 1)
    throw new UserError(
      `grad: y has shape [${y.shape.join(", ")}], not one element.`,
      "Reduce it first (`y.sum()`), or pass `gradOutput`, the cotangent of y.",
    );
  if (gradOutput && !sameShape(gradOutput.shape, y.shape))
    throw new UserError(
      `grad: gradOutput [${gradOutput.shape.join(", ")}] is not shaped like y [${y.shape.join(", ")}].`,
    );
  if (differentiable) return withRecording(true, () => new Walk(xs, undefined).run(y, gradOutput));
  const opened = openScope("grad");
  const keep = new Set<Block>();
  try {
    const result = noGrad(() => new Walk(xs, opened.scope).run(y, gradOutput));
    for (const g of result) keep.add(g.block);
    return result;
  } finally {
    closeScope(opened, keep);
  }
}

class Walk {
  private readonly targets: Set<Tensor>;
  private readonly cotangents = new Map<Tensor, Tensor>();
  /** Tensors with a node on a path to some target, latest computed last: the work still to do. */
  private readonly pending: Tensor[] = [];
  private readonly visited = new Set<Tensor>();
  private readonly reaching = new Set<Tensor>();
  /** Replayed bodies in work: when `pending` is back at `length`, the blocks from `start` on have served. */
  private readonly replays: { length: number; start: number }[] = [];

  /** `scope` holds everything the walk allocates when its results are not recorded; then buffers are freed as they are used up. */
  constructor(
    private readonly xs: readonly Tensor[],
    private readonly scope: Scope | undefined,
  ) {
    this.targets = new Set(xs);
  }

  run(y: Tensor, gradOutput: Tensor | undefined): Tensor[] {
    this.plan(y);
    this.add(y, gradOutput ?? ones(y.shape));
    for (let out = this.pending.pop(); out !== undefined; out = this.pending.pop()) {
      const g = this.cotangents.get(out);
      if (g === undefined) continue;
      this.send(out, out.node!, g);
      while (this.replays.length > 0 && this.replays.at(-1)!.length >= this.pending.length)
        this.sweep(this.replays.pop()!.start);
    }
    for (const g of this.cotangents.values()) g.block.held = 0;
    const results = this.xs.map((x) => this.cotangents.get(x) ?? zeros(x.shape));
    return this.scope === undefined ? results : ownBlocks(results, gradOutput);
  }

  /** Queues every unvisited tensor that `y` was computed from and that depends on a target. */
  private plan(y: Tensor): void {
    const found: Tensor[] = [];
    const stack = [y];
    while (stack.length > 0) {
      const t = stack.pop()!;
      if (t.node === undefined || this.visited.has(t)) continue;
      this.visited.add(t);
      found.push(t);
      for (const input of t.node.inputs) stack.push(input);
    }
    found.sort((a, b) => a.node!.id - b.node!.id);
    for (const t of found) {
      const { inputs, rule } = t.node!;
      if (rule.opaque || inputs.some((i) => this.wants(i))) this.reaching.add(t);
    }
    const work = found.filter((t) => this.reaching.has(t));
    const inOrder = !this.pending.length || !work.length || work[0].node!.id > this.pending.at(-1)!.node!.id;
    for (const t of work) this.pending.push(t);
    if (!inOrder) this.pending.sort((a, b) => a.node!.id - b.node!.id);
  }

  private wants(t: Tensor): boolean {
    return this.targets.has(t) || this.reaching.has(t);
  }

  /** Passes the cotangent `g` of `out` on to the inputs. */
  private send(out: Tensor, { rule, inputs, attrs }: Node, g: Tensor): void {
    const spent = !this.targets.has(out);
    if (spent) this.cotangents.delete(out);
    const start = this.scope?.blocks.length ?? 0;
    if (rule.opaque || (this.scope === undefined && !rule.vjp)) {
      this.replays.push({ length: this.pending.length, start });
      const again = withRecording(true, () => rule.expand!(inputs, attrs));
      this.plan(again);
      this.add(again, g);
      if (spent) this.drop(g);
      return;
    }
    const needed = inputs.map((i) => this.wants(i));
    const gradients: Gradients =
      this.scope !== undefined && rule.backward
        ? rule.backward(g, inputs, out, attrs, needed)
        : rule.vjp!(g, inputs, out, attrs, needed);
    for (let i = 0; i < inputs.length; i++) if (needed[i] && gradients[i]) this.add(inputs[i], gradients[i]!);
    if (spent) this.drop(g);
    this.sweep(start);
  }

  /** Adds `g` to what `t` has received so far, undoing broadcasting: the one place where either is done. */
  private add(t: Tensor, g: Tensor): void {
    if (!sameShape(g.shape, t.shape)) g = call("sumTo", g, { shape: t.shape });
    const before = this.cotangents.get(t);
    if (before === undefined) {
      g.block.held++;
      this.cotangents.set(t, g);
    } else if (this.owns(before) && before.block.held === 1) {
      parallel("addScaled", before.size, 16384, before.ptr, g.ptr, 1);
    } else {
      const sum = call("add", before, g);
      sum.block.held++;
      this.cotangents.set(t, sum);
      this.drop(before);
    }
  }

  private drop(g: Tensor): void {
    if (--g.block.held === 0 && this.owns(g)) release(g.block);
  }

  private owns(g: Tensor): boolean {
    return this.scope !== undefined && g.block.scope === this.scope;
  }

  /** Frees what the last vjp left behind beside the cotangents it sent. */
  private sweep(start: number): void {
    if (this.scope === undefined) return;
    const { blocks } = this.scope;
    let kept = start;
    for (let i = start; i < blocks.length; i++) {
      const block = blocks[i];
      if (block.held > 0) blocks[kept++] = block;
      else release(block);
    }
    blocks.length = kept;
  }
}

/** Results in blocks of their own: two inputs of a sum receive one cotangent, but callers may clip gradients in place. */
function ownBlocks(results: readonly Tensor[], gradOutput: Tensor | undefined): Tensor[] {
  const taken = new Set<Block | undefined>([gradOutput?.block]);
  return results.map((g) => {
    const own = taken.has(g.block) ? emit(g.shape, (copy) => copy.data.set(g.data)) : g;
    taken.add(own.block);
    return own;
  });
}

/** The two ops that a walk needs, by name: core does not import ops. */
function call(name: "add" | "sumTo", ...args: unknown[]): Tensor {
  return (registry.get(name) as unknown as (...args: unknown[]) => Tensor)(...args);
}

const checkpointRule: Rule = {
  name: "checkpoint",
  opaque: true,
  expand: (inputs, body) => (body as (...inputs: Tensor[]) => Tensor)(...inputs),
};

/**
 * Computes `body(...inputs)` keeping only its result; the backward walk computes it again. Memory for time.
 * `body` must be a pure function: a random mask inside it must come from a generator restored at its start.
 */
export function checkpoint<I extends readonly Tensor[]>(body: (...inputs: I) => Tensor, ...inputs: I): Tensor {
  const opened = openScope("checkpoint");
  const keep = new Set<Block>();
  let out: Tensor;
  try {
    out = noGrad(() => body(...inputs));
    keep.add(out.block);
  } finally {
    closeScope(opened, keep);
  }
  return record(new Tensor(out.shape, out.block), checkpointRule, inputs, body);
}

/**
 * Jacobian-vector product: the derivative of `f` at `xs` along `vs`, with the value.
 * It is the gradient of a gradient: vᵀ ∂/∂u (uᵀ ∂y/∂x), which is linear in u, so that any u will do.
 */
export function jvp(
  f: (...xs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  vs: readonly Tensor[],
): { value: Tensor; tangent: Tensor } {
  const value = withRecording(true, () => f(...xs));
  const u = zeros(value.shape);
  const gs = grad(value, xs, { gradOutput: u, differentiable: true });
  let tangent: Tensor | undefined;
  gs.forEach((g, i) => {
    const [part] = grad(g, [u], { gradOutput: vs[i], differentiable: true });
    tangent = tangent ? call("add", tangent, part) : part;
  });
  return { value, tangent: tangent ?? zeros(value.shape) };
}
