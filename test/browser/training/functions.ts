import { grad, mseLoss, Rng, scope } from "../../../src/index.ts";
import { readState } from "../../../src/lab/kit/state.ts";
import { Classifier } from "../../../src/lab/playground/classifier.ts";
import { FIELDS } from "../../../src/lab/playground/config.ts";
import { Mlp } from "../../../src/models/mlp.ts";
import { parameters } from "../../../src/nn/index.ts";
import { Adam } from "../../../src/train/optim.ts";
import type { Control } from "../../../src/worker/index.ts";

export interface Outcome {
  loss: number;
  /** FNV-1a of the bits of all weights. */
  weights: number;
}

/** Run by the tests in Node and inside a page's Worker: to the same bits. */
export const functions = {
  /** A regression by an MLP that is wide enough for its kernels to be cut into chunks for the threads. */
  async train(steps: number, control?: Control<{ step: number; loss: number }>): Promise<Outcome> {
    const rng = new Rng(7);
    const x = rng.normal([512, 24]);
    const target = scope(() =>
      x
        .matmul(rng.normal([24, 1]))
        .mul(0.3)
        .sin(),
    );
    const model = new Mlp([24, 128, 64, 1], rng, { activation: "tanh", dropout: 0.1, norm: "batch" });
    const optimizer = new Adam(model, { lr: 1e-2 });
    let loss = Number.NaN;
    for (let step = 1; step <= steps; step++) {
      if (control && !(await control.proceed())) break;
      loss = scope(() => {
        const error = mseLoss(model.forward(x, { rng }), target);
        optimizer.step(grad(error, optimizer.parameters));
        return error.item();
      });
      control?.report({ step, loss });
    }
    let weights = 0x811c9dc5;
    for (const { data } of parameters(model).values())
      for (const word of new Uint32Array(data.buffer, data.byteOffset, data.length))
        weights = Math.imul(weights ^ word, 0x01000193) >>> 0;
    return { loss, weights };
  },

  /** The lab's classifier, its data sets and optimizers with it: losses after some epochs. */
  playground(address: string): { train: number; test: number } {
    const classifier = new Classifier(readState(FIELDS, address).state);
    for (let epoch = 0; epoch < 5; epoch++) classifier.runEpoch();
    return classifier.losses();
  },
};
