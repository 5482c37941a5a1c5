import type { Csr } from "../core/csr.ts";
import type { Rng } from "../core/random.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import { add, concat, linear, mul, segmentSum, sum } from "../ops/index.ts";
import { attend } from "./aggregate.ts";
import { Linear } from "./linear.ts";
import { lstmGates, recurrentWeights } from "./recurrent.ts";

export interface Set2SetOptions {
  /** Times that the set is looked at. */
  steps?: number;
  /** Elements are first brought to this width by a linear layer `m`, as MEGNet's authors do; otherwise they are taken as they are. */
  hidden?: number;
  /**
   * "lost": the cell of MEGNet's Keras layer, which all weights released with it have learned with. It never stores its cell state,
   * which is thus 0 at the beginning of every step; it sees q* alone, and its gates are hard sigmoids.
   */
  cellState?: "kept" | "lost";
}

/**
 * A set as one vector that does not depend on its order: an LSTM asks q, attention over the elements answers r, and q* = [q; r] is
 * what it sees next. Vinyals, Bengio, Kudlur, ICLR 2016. Names are those of PyTorch Geometric's layer.
 */
export class Set2Set {
  /** [4·hidden, 2·hidden], [4·hidden, hidden] and biases; with a lost cell state those of q* alone. */
  readonly lstm: { weight_ih_l0: Tensor; weight_hh_l0?: Tensor; bias_ih_l0: Tensor; bias_hh_l0?: Tensor };
  readonly m?: Linear;
  readonly steps: number;
  private readonly hidden: number;

  constructor(inputs: number, rng: Rng, { steps = 3, hidden, cellState = "kept" }: Set2SetOptions = {}) {
    if (hidden !== undefined) this.m = new Linear(inputs, hidden, rng);
    this.hidden = hidden ?? inputs;
    this.steps = steps;
    const { weight_ih, weight_hh, bias_ih, bias_hh } = recurrentWeights(4, 2 * this.hidden, this.hidden, rng);
    this.lstm =
      cellState === "lost"
        ? { weight_ih_l0: weight_ih, bias_ih_l0: bias_ih }
        : { weight_ih_l0: weight_ih, weight_hh_l0: weight_hh, bias_ih_l0: bias_ih, bias_hh_l0: bias_hh };
  }

  /** Numbers that describe a set. */
  get width(): number {
    return 2 * this.hidden;
  }

  /** x [elements, inputs], owners [sets × elements] → [sets, 2·hidden]. An empty set's answers are 0. */
  forward(x: Tensor, owners: Csr): Tensor {
    const m = this.m?.forward(x) ?? x;
    const empty = zeros([owners.rows, this.hidden]);
    let state = { h: empty, c: empty };
    let q = concat([empty, empty], { axis: 1 });
    for (let step = 0; step < this.steps; step++) {
      state = this.step(q, state);
      // An element's question is its set's: the transpose hands it out.
      const asked = segmentSum(state.h, { adj: owners.transposed });
      q = concat([state.h, attend(m, sum(mul(m, asked), { axes: 1 }), owners)], { axis: 1 });
    }
    return q;
  }

  private step(q: Tensor, { h, c }: { h: Tensor; c: Tensor }): { h: Tensor; c: Tensor } {
    const { weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 } = this.lstm;
    const z = linear(q, weight_ih_l0, bias_ih_l0);
    if (weight_hh_l0 && bias_hh_l0) return lstmGates(add(z, linear(h, weight_hh_l0, bias_hh_l0)), c);
    return lstmGates(z, zeros(c.shape), { hard: true });
  }
}
