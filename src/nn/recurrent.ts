import { mismatch } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import { add, hardSigmoid, linear, mul, sigmoid, slice, sub, tanh } from "../ops/index.ts";
import { init } from "./init.ts";

/** What an LSTM keeps from one step to the next, both [batch, hidden]. */
export interface LstmState {
  h: Tensor;
  c: Tensor;
}

/** Weights of an LSTM or GRU cell: [gates·hidden, in], [gates·hidden, hidden], and a bias for each. */
export interface RecurrentWeights {
  weight_ih: Tensor;
  weight_hh: Tensor;
  bias_ih: Tensor;
  bias_hh: Tensor;
}

/** Uniform in ±1/√hidden, PyTorch's default. */
export function recurrentWeights(gates: number, inputs: number, hidden: number, rng: Rng): RecurrentWeights {
  const uniform = (...shape: number[]): Tensor => init.fanInUniform(shape, rng, hidden);
  return {
    weight_ih: uniform(gates * hidden, inputs),
    weight_hh: uniform(gates * hidden, hidden),
    bias_ih: uniform(gates * hidden),
    bias_hh: uniform(gates * hidden),
  };
}

const gate = (z: Tensor, k: number, hidden: number): Tensor =>
  slice(z, { axis: 1, start: k * hidden, end: (k + 1) * hidden });

/**
 * From the gates' inputs z [batch, 4·hidden], in PyTorch's (and Keras') order i f g o: c' = σ(f)⊙c + σ(i)⊙tanh(g), h' = σ(o)⊙tanh(c').
 * Keras' older layers have the hard sigmoid, clip(x/5 + ½, 0, 1), for σ.
 */
export function lstmGates(z: Tensor, c: Tensor, { hard = false }: { hard?: boolean } = {}): LstmState {
  const hidden = c.shape[1];
  const sigma = hard ? hardSigmoid : sigmoid;
  const cell = add(mul(sigma(gate(z, 1, hidden)), c), mul(sigma(gate(z, 0, hidden)), tanh(gate(z, 2, hidden))));
  return { h: mul(sigma(gate(z, 3, hidden)), tanh(cell)), c: cell };
}

function check(cell: string, x: Tensor, h: Tensor, { weight_ih, weight_hh }: RecurrentWeights): void {
  const [inputs, hidden] = [weight_ih.shape[1], weight_hh.shape[1]];
  if (x.rank !== 2 || h.rank !== 2 || x.shape[1] !== inputs || h.shape[1] !== hidden || x.shape[0] !== h.shape[0])
    throw mismatch(
      cell,
      [x.shape, h.shape],
      `the input must be [batch, ${inputs}] and the hidden state [batch, ${hidden}].`,
    );
}

/** Long short-term memory, one step. Hochreiter & Schmidhuber 1997, with forget gates (Gers et al. 2000); weights as PyTorch's. */
export class LSTMCell implements RecurrentWeights {
  readonly weight_ih: Tensor;
  readonly weight_hh: Tensor;
  readonly bias_ih: Tensor;
  readonly bias_hh: Tensor;

  constructor(
    inputs: number,
    readonly hidden: number,
    rng: Rng,
  ) {
    const made = recurrentWeights(4, inputs, hidden, rng);
    this.weight_ih = made.weight_ih;
    this.weight_hh = made.weight_hh;
    this.bias_ih = made.bias_ih;
    this.bias_hh = made.bias_hh;
  }

  /** x [batch, in] and the state, zeros where there is none yet → the next state; its h is the output. */
  forward(x: Tensor, state: LstmState = this.start(x.shape[0])): LstmState {
    check("LSTMCell", x, state.h, this);
    const z = add(linear(x, this.weight_ih, this.bias_ih), linear(state.h, this.weight_hh, this.bias_hh));
    return lstmGates(z, state.c);
  }

  private start(batch: number): LstmState {
    return { h: zeros([batch, this.hidden]), c: zeros([batch, this.hidden]) };
  }
}

/** Gated recurrent unit, one step: h' = (1 − z)⊙n + z⊙h. Cho et al. 2014; weights, their order r z n, and n's inner bias as PyTorch's. */
export class GRUCell implements RecurrentWeights {
  readonly weight_ih: Tensor;
  readonly weight_hh: Tensor;
  readonly bias_ih: Tensor;
  readonly bias_hh: Tensor;

  constructor(
    inputs: number,
    readonly hidden: number,
    rng: Rng,
  ) {
    const made = recurrentWeights(3, inputs, hidden, rng);
    this.weight_ih = made.weight_ih;
    this.weight_hh = made.weight_hh;
    this.bias_ih = made.bias_ih;
    this.bias_hh = made.bias_hh;
  }

  /** x [batch, in], h [batch, hidden] (zeros where there is none yet) → [batch, hidden]. */
  forward(x: Tensor, h: Tensor = zeros([x.shape[0], this.hidden])): Tensor {
    check("GRUCell", x, h, this);
    const { hidden } = this;
    const a = linear(x, this.weight_ih, this.bias_ih);
    const b = linear(h, this.weight_hh, this.bias_hh);
    const r = sigmoid(add(gate(a, 0, hidden), gate(b, 0, hidden)));
    const z = sigmoid(add(gate(a, 1, hidden), gate(b, 1, hidden)));
    const n = tanh(add(gate(a, 2, hidden), mul(r, gate(b, 2, hidden))));
    return add(n, mul(z, sub(h, n)));
  }
}
