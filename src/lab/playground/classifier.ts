import { grad } from "../../core/grad.ts";
import { noGrad } from "../../core/op.ts";
import { Rng } from "../../core/random.ts";
import { scope, type Tensor, tensor } from "../../core/tensor.ts";
import { Mlp } from "../../models/mlp.ts";
import { activation, type Linear, stateDict } from "../../nn/index.ts";
import { concat, mseLoss, mul, sin, square, tanh } from "../../ops/index.ts";
import type { Optimizer } from "../../train/optim.ts";
import { makeOptimizer } from "../kit/makeOptimizer.ts";
import { type Config, DOMAIN, FEATURES, type FeatureName, GRID } from "./config.ts";
import { generate, type Points, part } from "./data.ts";
import { History } from "./history.ts";

const POINTS = 500;

/** What the page draws: plain data. Maps are [GRID, GRID] from the top left, −1 … 1 as 0 … 255. */
export interface Snapshot {
  epoch: number;
  trainLoss: number;
  testLoss: number;
  history: { epochs: Float64Array; train: Float64Array; test: Float64Array };
  /** Each layer's weights [out, in] and biases [out], the output's last. */
  layers: { weight: Float32Array; bias: Float32Array }[];
  /** Each layer's neurons. */
  maps: Uint8Array<ArrayBuffer>[][];
}

const features: Record<FeatureName, (x1: Tensor, x2: Tensor) => Tensor> = {
  x1: (x1) => x1,
  x2: (_, x2) => x2,
  x1Squared: (x1) => square(x1),
  x2Squared: (_, x2) => square(x2),
  x1x2: (x1, x2) => mul(x1, x2),
  sinX1: (x1) => sin(x1),
  sinX2: (_, x2) => sin(x2),
};

/** Points as the network sees them [points, features]. */
function inputs(names: readonly FeatureName[], { x1, x2 }: Pick<Points, "x1" | "x2">): Tensor {
  return scope(() =>
    noGrad(() => {
      const [a, b] = [x1, x2].map((x) => tensor(x, [x.length, 1]));
      return concat(
        names.map((name) => features[name](a, b)),
        { axis: 1 },
      );
    }),
  );
}

/**
 * A small network that tells +1 from −1 in the plane, trained as TensorFlow Playground trains it: tanh at the end, loss ½(y − t)², weights
 * from U(−½, ½), biases 0.1, batches in the fixed order of the points. A batch that an epoch's end cuts goes on in the next epoch.
 */
export class Classifier {
  epoch = 0;
  readonly points: { train: Points; test: Points };
  private readonly model: Mlp;
  private readonly optimizer: Optimizer;
  private readonly train: { x: Tensor; target: Tensor };
  private readonly test: { x: Tensor; target: Tensor };
  private readonly grid: Tensor;
  private readonly history = new History();
  /** Points since the last update, of the epoch before: the rest of a batch that its end cut. */
  private carried = 0;
  /** Weights that an L1 penalty brought to 0: they stay there. */
  private readonly dead: Set<number>[];

  constructor(private config: Config) {
    const rng = new Rng(config.seed);
    const [dataRng, weightRng] = [rng.fork(1), rng.fork(2)];
    const all = generate(config.dataset, { count: POINTS, noise: config.noise / 100, rng: dataRng });
    const border = Math.floor((POINTS * config.percTrainData) / 100);
    this.points = { train: part(all, 0, border), test: part(all, border, POINTS) };
    const toTensors = (points: Points) => ({
      x: inputs(config.features, points),
      target: tensor(points.label, [points.label.length, 1]),
    });
    this.train = toTensors(this.points.train);
    this.test = toTensors(this.points.test);
    this.grid = inputs(config.features, gridPoints());
    const sizes = [config.features.length, ...config.networkShape, 1];
    this.model = new Mlp(sizes, weightRng, { activation: config.activation });
    for (const { weight, bias } of this.model.layers) {
      scope(() => weight.set(weightRng.uniform(weight.shape, -0.5, 0.5).data));
      bias!.data.fill(0.1);
    }
    this.dead = this.model.layers.map(() => new Set());
    this.optimizer = makeOptimizer[config.optimizer](this.model, config.learningRate);
    this.record();
  }

  /** Changes what may change while training goes on (`LIVE`). */
  tune(config: Config): void {
    if (config.regularization !== "l1") for (const dead of this.dead) dead.clear();
    this.config = config;
    this.optimizer.lr = config.learningRate;
  }

  /** One pass over the training points. */
  runEpoch(): void {
    const { batchSize } = this.config;
    const count = this.points.train.label.length;
    let from = 0;
    for (let to = batchSize; to <= count; to += batchSize) {
      const rows = Int32Array.from({ length: this.carried + to - from }, (_, i) => from + i - this.carried);
      this.update(rows.map((row) => (row < 0 ? row + count : row)));
      from = to;
      this.carried = 0;
    }
    this.carried = count - from;
    this.epoch++;
    if (this.history.wants(this.epoch)) this.record();
  }

  private update(rows: Int32Array): void {
    const { model, optimizer, train, config } = this;
    const regularized = config.regularization !== "none" && config.regularizationRate > 0;
    const before = regularized ? model.layers.map(({ weight }) => weight.toArray()) : [];
    scope(() => {
      const pick = ({ data, shape }: Tensor): Tensor => {
        const width = shape[1];
        const values = new Float32Array(rows.length * width);
        rows.forEach((row, i) => values.set(data.subarray(row * width, (row + 1) * width), i * width));
        return tensor(values, [rows.length, width]);
      };
      const loss = halfSquares(this.output(pick(train.x)), pick(train.target));
      optimizer.step(grad(loss, optimizer.parameters));
    }, "step");
    before.forEach((old, i) => this.shrink(model.layers[i], old, this.dead[i]));
  }

  /**
   * The penalty of one update: w ← w − lr·rate·w (L2), or ·sign w (L1) by the weight before the step. A weight that L1 carries across 0 is
   * put to 0 and stays there.
   */
  private shrink({ weight: { data } }: Linear, old: Float32Array, dead: Set<number>): void {
    const { learningRate, regularization, regularizationRate } = this.config;
    const rate = learningRate * regularizationRate;
    for (let i = 0; i < data.length; i++) {
      if (regularization === "l2") data[i] -= rate * old[i];
      else {
        const shrunk = data[i] - rate * Math.sign(old[i]);
        if (data[i] * shrunk < 0) dead.add(i);
        data[i] = dead.has(i) ? 0 : shrunk;
      }
    }
  }

  private output(x: Tensor): Tensor {
    return tanh(this.model.forward(x));
  }

  /** Mean of ½(y − t)² over the training points and over the test points. */
  losses(): { train: number; test: number } {
    const loss = ({ x, target }: { x: Tensor; target: Tensor }): number =>
      scope(() => noGrad(() => halfSquares(this.output(x), target).item()));
    return { train: loss(this.train), test: loss(this.test) };
  }

  private record(): void {
    this.history.add(this.epoch, this.losses());
  }

  snapshot(): Snapshot {
    const { train, test } = this.losses();
    return {
      epoch: this.epoch,
      trainLoss: train,
      testLoss: test,
      history: this.history.curves(this.epoch, { train, test }),
      layers: this.model.layers.map(({ weight, bias }) => ({ weight: weight.toArray(), bias: bias!.toArray() })),
      maps: this.maps(),
    };
  }

  /** Every neuron's output over the plane. */
  private maps(): Uint8Array<ArrayBuffer>[][] {
    const f = activation(this.config.activation);
    const { layers } = this.model;
    return scope(() =>
      noGrad(() => {
        let h = this.grid;
        return layers.map((layer, i) => {
          h = i < layers.length - 1 ? f(layer.forward(h)) : tanh(layer.forward(h));
          return columnMaps(h);
        });
      }),
    );
  }

  /** Gives the memory back: networks come and go with every move of a slider. */
  dispose(): void {
    for (const t of stateDict(this).values()) t.dispose();
  }
}

const halfSquares = (output: Tensor, target: Tensor): Tensor => mseLoss(output, target).mul(0.5);

/** The centres of the grid's cells. */
function gridPoints(): Pick<Points, "x1" | "x2"> {
  const at = (cell: number): number => ((2 * cell + 1) / GRID - 1) * DOMAIN;
  return {
    x1: Float32Array.from({ length: GRID * GRID }, (_, i) => at(i % GRID)),
    x2: Float32Array.from({ length: GRID * GRID }, (_, i) => -at(Math.floor(i / GRID))),
  };
}

/** The columns of h [GRID · GRID, width] as maps. */
function columnMaps({ data, shape }: Tensor): Uint8Array<ArrayBuffer>[] {
  const width = shape[1];
  return Array.from({ length: width }, (_, column) => {
    const map = new Uint8Array(GRID * GRID);
    for (let i = 0; i < map.length; i++) {
      const v = data[i * width + column];
      map[i] = v >= 1 ? 255 : v <= -1 ? 0 : 127.5 * v + 128;
    }
    return map;
  });
}

/** The maps of all inputs, used or not. */
export function featureMaps(): Uint8Array<ArrayBuffer>[] {
  return scope(() => columnMaps(inputs(FEATURES, gridPoints())));
}
