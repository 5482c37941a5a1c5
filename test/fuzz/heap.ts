import { grad, memoryUse, mseLoss, Rng, scope } from "../../src/index.ts";
import { Mlp } from "../../src/models/index.ts";
import { Adam } from "../../src/train/optim.ts";

/**
 * Trains on batches of 1 … 120 rows, as batches of graphs vary; returns the memory used after each of the given numbers of steps.
 * Every size of batch comes up in the first 120 steps, then they come in random order.
 */
export function heapAfter(steps: readonly number[], seed: number): { heap: number[]; live: number[] } {
  const rng = new Rng(seed);
  const model = new Mlp([8, 16, 1], rng, { norm: "layer", activation: "silu" });
  const optimizer = new Adam(model);
  const heap: number[] = [];
  const live: number[] = [];
  for (let step = 1; step <= Math.max(...steps); step++) {
    const rows = step <= 120 ? step : 1 + rng.integer(120);
    scope(() => {
      const x = rng.normal([rows, 8]);
      const loss = mseLoss(model.forward(x, { rng }), x.sum({ axes: 1, keepDim: true }));
      optimizer.step(grad(loss, optimizer.parameters));
    });
    if (steps.includes(step)) {
      heap.push(memoryUse().heap);
      live.push(memoryUse().live);
    }
  }
  return { heap, live };
}
