import { h } from "../kit/dom.ts";
import { type Input, numberField, pictures, select, slider, toggle } from "../kit/inputs.ts";
import { OPTIMIZER_TEXT } from "../kit/optimizers.ts";
import type { Theme } from "../kit/theme.ts";
import {
  ACTIVATIONS,
  DATASETS,
  LAST_SEED,
  LEARNING_RATES,
  OPTIMIZERS,
  type PlaygroundState,
  REGULARIZATION_RATES,
  REGULARIZATIONS,
  SPEEDS,
} from "./config.ts";
import type { Points } from "./data.ts";
import { drawPoints } from "./scatter.ts";

/** What people read for a value, where that is not the value itself. */
const TEXT: Record<string, string> = {
  circle: "Circle",
  xor: "XOR",
  gauss: "Gaussian",
  spiral: "Spiral",
  relu: "ReLU",
  tanh: "Tanh",
  sigmoid: "Sigmoid",
  identity: "Linear",
  leakyRelu: "Leaky ReLU",
  elu: "ELU",
  softplus: "Softplus",
  silu: "SiLU",
  gelu: "GELU",
  mish: "Mish",
  ...OPTIMIZER_TEXT,
  none: "None",
  l1: "L1",
  l2: "L2",
  slow: "5 epochs/s",
  normal: "60 epochs/s",
  full: "Full",
};

const named = <T extends string | number>(values: readonly T[]): (readonly [T, string])[] =>
  values.map((value) => [value, TEXT[String(value)] ?? String(value)] as const);

type Change = (changes: Partial<PlaygroundState>) => void;

/** The controls that stand in forms: how to train, and on which data. Those of the network's shape belong to its diagram. */
export class Controls {
  readonly training: HTMLElement;
  readonly data: HTMLElement;
  readonly display: HTMLElement;
  private readonly inputs: { [K in keyof PlaygroundState]?: Input<PlaygroundState[K]> };
  private seed = 0;
  private readonly thumbnails = DATASETS.map(() => h("canvas", { width: 96, height: 96, ariaHidden: "true" }));

  constructor(change: Change) {
    const set =
      <K extends keyof PlaygroundState>(key: K) =>
      (value: PlaygroundState[K]): void =>
        change({ [key]: value } as Partial<PlaygroundState>);
    const training = {
      learningRate: select("Learning rate", named(LEARNING_RATES), set("learningRate")),
      activation: select("Activation", named(ACTIVATIONS), set("activation")),
      optimizer: select("Optimizer", named(OPTIMIZERS), set("optimizer")),
      regularization: select("Regularization", named(REGULARIZATIONS), set("regularization")),
      regularizationRate: select("Regularization rate", named(REGULARIZATION_RATES), set("regularizationRate")),
      speed: select("Speed", named(SPEEDS), set("speed")),
    };
    const choices = DATASETS.map((dataset, i) => [dataset, TEXT[dataset], this.thumbnails[i]] as const);
    const data = {
      dataset: pictures("Data set", choices, set("dataset")),
      percTrainData: slider("Points to train on", { least: 10, most: 90, step: 10, unit: " %" }, set("percTrainData")),
      noise: slider("Noise", { least: 0, most: 50, step: 5, unit: " %" }, set("noise")),
      batchSize: slider("Batch size", { least: 1, most: 30 }, set("batchSize")),
      seed: numberField("Seed", { least: 0, most: LAST_SEED }, set("seed")),
    };
    const display = {
      showTestData: toggle("Show test points", set("showTestData")),
      discretize: toggle("Two colours only", set("discretize")),
    };
    this.inputs = { ...training, ...data, ...display };
    const elements = (group: Record<string, { element: HTMLElement }>): HTMLElement[] =>
      Object.values(group).map(({ element }) => element);
    this.training = h("div", { className: "training" }, ...elements(training));
    const again = h("button", {
      type: "button",
      className: "again",
      textContent: "Next seed",
      title: "Other points and other starting weights",
      onclick: () => change({ seed: (this.seed + 1) % (LAST_SEED + 1) }),
    });
    this.data = h("section", { className: "card data" }, h("h2", {}, "Data"), ...elements(data), again);
    this.display = h("div", { className: "display" }, ...elements(display));
  }

  show(state: PlaygroundState): void {
    this.seed = state.seed;
    for (const key of Object.keys(this.inputs) as (keyof PlaygroundState)[])
      (this.inputs[key] as Input<unknown>).show(state[key]);
  }

  drawThumbnails(samples: readonly Points[], theme: Theme): void {
    this.thumbnails.forEach((canvas, i) => {
      const context = canvas.getContext("2d")!;
      context.clearRect(0, 0, canvas.width, canvas.height);
      drawPoints(context, samples[i], { side: canvas.width, radius: 2.6, theme });
    });
  }
}
