import { UserError } from "../core/errors.ts";
import { parallel } from "../core/parallel.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import { stateDict } from "../nn/index.ts";

/**
 * An average of the weights that training passes through, to be used instead of the last ones. Batch norm's running statistics are
 * averaged, too: they must belong to the weights.
 */
abstract class WeightAverage {
  readonly averages: Map<string, Tensor>;
  private readonly weights: ReadonlyMap<string, Tensor>;

  constructor(model: object) {
    this.weights = stateDict(model);
    this.averages = new Map([...this.weights].map(([name, w]) => [name, zeros(w.shape).set(w.data)]));
  }

  /** To be called after each optimizer step. */
  abstract update(): void;

  /** Goes on from averages that were saved after so many steps. */
  load(averages: ReadonlyMap<string, { data: Float32Array }>, _steps: number): void {
    for (const [name, { data }] of averages) this.averages.get(name)?.set(data);
  }

  /** Exchanges the model's weights and their averages; a second call puts them back. */
  swap(): void {
    for (const [name, average] of this.averages) {
      const weight = this.weights.get(name)!;
      const values = weight.toArray();
      weight.set(average.data);
      average.set(values);
    }
  }

  /** average ← average + share·(weights − average) */
  protected approach(share: number): void {
    for (const [name, average] of this.averages)
      parallel("lerp", average.size, 16384, average.ptr, this.weights.get(name)!.ptr, share);
  }
}

/**
 * Exponential moving average of weights: average ← decay·average + (1 − decay)·weights after each step. Polyak & Juditsky 1992.
 * The n-th step's decay is at most n/(n + 9), so that the first weights are soon forgotten.
 */
export class Ema extends WeightAverage {
  private updates = 0;

  constructor(
    model: object,
    readonly decay = 0.999,
  ) {
    super(model);
  }

  override update(): void {
    this.updates++;
    this.approach(1 - Math.min(this.decay, this.updates / (this.updates + 9)));
  }

  override load(averages: ReadonlyMap<string, { data: Float32Array }>, steps: number): void {
    super.load(averages, steps);
    this.updates = steps;
  }
}

/**
 * Stochastic weight averaging: the mean of the weights at the ends of the epochs from `start` on; before that, the weights themselves.
 * Izmailov et al., UAI 2018.
 */
export class Swa extends WeightAverage {
  private steps = 0;

  /** @param start  epochs after which averaging begins: the first weights that count are those of epoch start + 1 */
  constructor(
    model: object,
    private readonly stepsPerEpoch: number,
    private readonly start: number,
  ) {
    super(model);
    if (!(Number.isInteger(stepsPerEpoch) && stepsPerEpoch > 0 && Number.isInteger(start) && start >= 0))
      throw new UserError(`Swa: stepsPerEpoch and start must be whole numbers, not ${stepsPerEpoch}, ${start}.`);
  }

  /** Ends of epochs that count so far. */
  private get counted(): number {
    return Math.floor(this.steps / this.stepsPerEpoch) - this.start;
  }

  override update(): void {
    this.steps++;
    if (this.steps % this.stepsPerEpoch === 0) this.approach(1 / Math.max(1, this.counted));
  }

  override load(averages: ReadonlyMap<string, { data: Float32Array }>, steps: number): void {
    super.load(averages, steps);
    this.steps = steps;
  }
}

/** The average that a configuration asks for; undefined for none. `swa` is the share of the epochs that do not count. */
export function averageOf(
  model: object,
  { ema, swa }: { ema?: number; swa?: number },
  { epochs, stepsPerEpoch }: { epochs: number; stepsPerEpoch: number },
): WeightAverage | undefined {
  for (const [name, value = 0] of Object.entries({ ema, swa }))
    if (!(value >= 0 && value < 1)) throw new UserError(`fit: ${name} must be in [0, 1), not ${value}.`);
  if (ema !== undefined && swa !== undefined) throw new UserError("fit: ema and swa exclude each other.");
  if (ema !== undefined) return new Ema(model, ema);
  return swa === undefined ? undefined : new Swa(model, stepsPerEpoch, Math.floor(swa * epochs));
}

export type { WeightAverage };
