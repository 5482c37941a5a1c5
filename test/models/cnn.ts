import { expect } from "vitest";
import { crossEntropy, grad, indices, Rng, scope, type Tensor, tensor } from "../../src/index.ts";
import { type Module, stateDict } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";
import torch from "../fixtures/cnn.json" with { type: "json" };

/** The fixture's numbers in [−0.5, 0.5): a multiplicative hash of start + 1, start + 2, … */
const spread = (n: number, start: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => (Math.imul(start + i + 1, 2654435761) >>> 0) / 2 ** 32 - 0.5);

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** The model has PyTorch's names and shapes, and PyTorch's outputs for the weights and inputs of the fixture's formula. */
export function agreesWithTorch(name: keyof typeof torch, model: Module): void {
  const { state, input, output } = torch[name];
  const own = stateDict(model);
  expect(new Set(own.keys())).toEqual(new Set(Object.keys(state)));
  let at = 0;
  for (const [key, shape] of Object.entries<number[]>(state)) {
    expect(own.get(key)!.shape, key).toEqual(shape);
    const size = sizeOf(shape);
    const scale = shape.length > 1 ? Math.sqrt(24 / (size / shape[0])) : 0.4;
    const values = spread(size, at);
    own.get(key)!.set(key.endsWith("running_var") ? values.map((u) => 1 + u) : values.map((u) => u * scale));
    at += size;
  }
  const x = tensor(
    spread(sizeOf(input), 7).map((u) => 4 * u),
    input,
  );
  model
    .forward(x)
    .toArray()
    .forEach((value, i) => expect(value, `output ${i}`).toBeCloseTo(output[i], 4));
}

/** Cross-entropy on one batch before and after `steps` of Adam: a model that learns at all learns these by heart. */
export function overfit(
  model: Module,
  shape: readonly number[],
  { classes = 2, steps = 30, lr = 1e-3 }: { classes?: number; steps?: number; lr?: number } = {},
): [first: number, last: number] {
  const rng = new Rng(11);
  const optimizer = new Adam(model, { lr });
  const x: Tensor = rng.normal(shape);
  const labels = indices(Array.from({ length: shape[0] }, (_, i) => i % classes));
  const losses = Array.from({ length: steps }, () =>
    scope(() => {
      const loss = crossEntropy(model.forward(x, { rng }), labels);
      optimizer.step(grad(loss, optimizer.parameters));
      return loss.item();
    }),
  );
  return [losses[0], losses[steps - 1]];
}
