/** The optimizers that people may choose between, as they read them. */
export const OPTIMIZER_TEXT = {
  sgd: "SGD",
  momentum: "Momentum",
  nesterov: "Nesterov",
  adam: "Adam",
  adamw: "AdamW",
  rmsprop: "RMSprop",
  adagrad: "Adagrad",
};

export type OptimizerName = keyof typeof OPTIMIZER_TEXT;
