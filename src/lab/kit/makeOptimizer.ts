import { Adagrad, Adam, AdamW, type Optimizer, Rmsprop, Sgd } from "../../train/optim.ts";
import type { OptimizerName } from "./optimizers.ts";

/** For Workers: how each optimizer is made, with its usual constants. */
export const makeOptimizer: Record<OptimizerName, (model: object, lr: number) => Optimizer> = {
  sgd: (model, lr) => new Sgd(model, { lr }),
  momentum: (model, lr) => new Sgd(model, { lr, momentum: 0.9 }),
  nesterov: (model, lr) => new Sgd(model, { lr, momentum: 0.9, nesterov: true }),
  adam: (model, lr) => new Adam(model, { lr }),
  adamw: (model, lr) => new AdamW(model, { lr }),
  rmsprop: (model, lr) => new Rmsprop(model, { lr }),
  adagrad: (model, lr) => new Adagrad(model, { lr }),
};
