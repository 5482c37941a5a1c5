/** What several members, or passes, say of the same rows. */
export interface Mixed {
  /** Their mean. */
  predictions: Float32Array;
  /** √(mean of the members' own variances, where they know them + variance between the members). */
  deviations: Float32Array;
}

/**
 * Predictions of several models for the same rows as one: mean and standard deviation of the equally weighted mixture of the members'
 * distributions. Lakshminarayanan, Pritzel & Blundell, NeurIPS 2017.
 */
export class Mixture {
  private count = 0;
  private mean = new Float64Array();
  /** Σ (x − mean)², by Welford's recurrence: the squares' difference would cancel where members agree. */
  private spread = new Float64Array();
  private own = new Float64Array();

  /** Adds a member's predictions and, where it knows them, the deviations that it expects. */
  add({ predictions, deviations }: { predictions: Float32Array; deviations?: Float32Array }): void {
    if (this.count === 0)
      [this.mean, this.spread, this.own] = [0, 1, 2].map(() => new Float64Array(predictions.length));
    const { mean, spread, own } = this;
    const n = ++this.count;
    predictions.forEach((x, i) => {
      const step = x - mean[i];
      mean[i] += step / n;
      spread[i] += step * (x - mean[i]);
      if (deviations) own[i] += deviations[i] * deviations[i];
    });
  }

  get result(): Mixed {
    const { mean, spread, own, count } = this;
    return {
      predictions: Float32Array.from(mean),
      deviations: Float32Array.from(spread, (s, i) => Math.sqrt((s + own[i]) / count)),
    };
  }
}
