/** Most points of a curve. */
const MOST = 600;

/** Losses by epoch, thinned out as they grow: every stride-th epoch is kept, and the stride doubles when there are too many. */
export class History {
  private epochs: number[] = [];
  private train: number[] = [];
  private test: number[] = [];
  private stride = 1;

  /** Whether the losses of this epoch are worth computing. */
  wants(epoch: number): boolean {
    return epoch % this.stride === 0;
  }

  add(epoch: number, losses: { train: number; test: number }): void {
    this.epochs.push(epoch);
    this.train.push(losses.train);
    this.test.push(losses.test);
    if (this.epochs.length <= MOST) return;
    const even = (_: number, i: number): boolean => i % 2 === 0;
    this.epochs = this.epochs.filter(even);
    this.train = this.train.filter(even);
    this.test = this.test.filter(even);
    this.stride *= 2;
  }

  /** The curves so far, up to the present losses. */
  curves(
    epoch: number,
    losses: { train: number; test: number },
  ): { epochs: Float64Array; train: Float64Array; test: Float64Array } {
    const last = this.epochs.at(-1) === epoch ? [] : [epoch];
    return {
      epochs: Float64Array.of(...this.epochs, ...last),
      train: Float64Array.of(...this.train, ...last.map(() => losses.train)),
      test: Float64Array.of(...this.test, ...last.map(() => losses.test)),
    };
  }
}
