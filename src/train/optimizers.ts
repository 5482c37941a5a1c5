import { Lamb } from "./lamb.ts";
import { Adagrad, Adam, AdamW, Rmsprop, Sgd } from "./optim.ts";

/** The optimizers by their names in configurations. */
export const optimizers = { sgd: Sgd, adam: Adam, adamw: AdamW, rmsprop: Rmsprop, adagrad: Adagrad, lamb: Lamb };
export type OptimizerName = keyof typeof optimizers;
