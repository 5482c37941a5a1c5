import { beforeAll, expect, test } from "vitest";
import { init, memoryUse, Rng } from "../../src/index.ts";
import { readState } from "../../src/lab/kit/state.ts";
import { Classifier, type Snapshot } from "../../src/lab/playground/classifier.ts";
import { type Config, DATASETS, DOMAIN, FIELDS, GRID } from "../../src/lab/playground/config.ts";
import { generate, type Points } from "../../src/lab/playground/data.ts";
import { functions } from "../../src/lab/playground/functions.ts";
import { History } from "../../src/lab/playground/history.ts";

beforeAll(async () => {
  await init({ threads: 1, deterministic: true });
});

const configure = (changes: Partial<Config> = {}): Config => ({ ...readState(FIELDS, "").state, ...changes });
const draw = (dataset: (typeof DATASETS)[number], noise = 0): Points =>
  generate(dataset, { count: 500, noise, rng: new Rng(3) });
const each = <T>({ x1, x2, label }: Points, f: (x1: number, x2: number, label: number) => T): T[] =>
  [...x1].map((x, i) => f(x, x2[i], label[i]));

test("circle: a disc inside a ring, half of the points each", () => {
  const points = each(draw("circle"), (x1, x2, label) => ({ r: Math.hypot(x1, x2), label }));
  expect(points.filter(({ label }) => label === 1).length).toBe(250);
  for (const { r, label } of points)
    expect(label === 1 ? r < 2.5001 : r > 3.4999 && r < 5.0001, `r ${r}, label ${label}`).toBe(true);
  const noisy = draw("circle", 0.5);
  expect(each(noisy, (x1, x2, label) => Math.hypot(x1, x2) < 3 !== label > 0).filter(Boolean).length).toBeGreaterThan(
    50,
  );
  expect([...noisy.x1]).toEqual([...draw("circle").x1]);
});

test("xor: the sign of x₁·x₂, and a gap along the axes", () => {
  for (const ok of each(draw("xor"), (x1, x2, label) => Math.sign(x1 * x2) === label)) expect(ok).toBe(true);
  for (const gap of each(draw("xor"), (x1, x2) => Math.min(Math.abs(x1), Math.abs(x2))))
    expect(gap).toBeGreaterThanOrEqual(0.2999);
  for (const size of each(draw("xor"), (x1, x2) => Math.max(Math.abs(x1), Math.abs(x2))))
    expect(size).toBeLessThanOrEqual(5.3001);
});

test("gauss: two clouds of the stated centres and variance", () => {
  for (const [noise, variance] of [
    [0, 0.5],
    [0.5, 4],
  ]) {
    const { x1, x2, label } = generate("gauss", { count: 4000, noise, rng: new Rng(5) });
    for (const side of [1, -1])
      for (const x of [x1, x2]) {
        const mine = x.filter((_, i) => label[i] === side);
        const mean = mine.reduce((sum, v) => sum + v, 0) / mine.length;
        const spread = mine.reduce((sum, v) => sum + (v - mean) ** 2, 0) / mine.length;
        expect(mine.length).toBe(2000);
        expect(Math.abs(mean - 2 * side)).toBeLessThan(4 * Math.sqrt(variance / 2000));
        expect(Math.abs(spread / variance - 1)).toBeLessThan(0.15);
      }
  }
});

test("spiral: r = 5i/n at 1.75 turns, the other class half a turn on", () => {
  const points = each(draw("spiral"), (x1, x2, label) => ({ x1, x2, label, r: Math.hypot(x1, x2) }));
  for (const side of [1, -1]) {
    const arm = points.filter(({ label }) => label === side).sort((a, b) => a.r - b.r);
    expect(arm.length).toBe(250);
    arm.forEach(({ x1, x2 }, i) => {
      const t = (1.75 * i * 2 * Math.PI) / 250 + (side === 1 ? 0 : Math.PI);
      expect(x1).toBeCloseTo(((5 * i) / 250) * Math.sin(t), 5);
      expect(x2).toBeCloseTo(((5 * i) / 250) * Math.cos(t), 5);
    });
  }
});

test("data sets are functions of the seed, in mixed order", () => {
  for (const dataset of DATASETS) {
    expect(draw(dataset, 0.2)).toEqual(draw(dataset, 0.2));
    const firsts = draw(dataset)
      .label.slice(0, 250)
      .filter((label) => label === 1).length;
    expect(firsts).toBeGreaterThan(90);
    expect(firsts).toBeLessThan(160);
  }
});

/** The Playground's rules in plain f64, one point at a time, for comparison. */
function reference(start: Snapshot["layers"], points: Points, config: Config, epochs: number): number[][][] {
  const layers = start.map(({ weight, bias }) => {
    const width = weight.length / bias.length;
    return [...bias].map((b, j) => [b, ...weight.slice(j * width, (j + 1) * width)]);
  });
  const sums = layers.map((layer) => layer.map((neuron) => neuron.map(() => 0)));
  const dead = layers.map((layer) => layer.map((neuron) => neuron.map(() => false)));
  const rate = config.learningRate;
  let count = 0;
  for (let epoch = 0; epoch < epochs; epoch++)
    for (let p = 0; p < points.label.length; p++) {
      const outputs = [[points.x1[p], points.x2[p]]];
      for (const layer of layers) {
        const x = outputs.at(-1)!;
        outputs.push(layer.map(([b, ...w]) => Math.tanh(w.reduce((sum, v, i) => sum + v * x[i], b))));
      }
      let back = [outputs.at(-1)![0] - points.label[p]];
      for (let l = layers.length - 1; l >= 0; l--) {
        const x = outputs[l];
        const delta = outputs[l + 1].map((y, j) => back[j] * (1 - y * y));
        delta.forEach((d, j) => [1, ...x].forEach((v, i) => (sums[l][j][i] += d * v)));
        back = x.map((_, i) => delta.reduce((sum, d, j) => sum + d * layers[l][j][i + 1], 0));
      }
      count++;
      if ((p + 1) % config.batchSize !== 0) continue;
      layers.forEach((layer, l) =>
        layer.forEach((neuron, j) =>
          neuron.forEach((old, i) => {
            neuron[i] -= (rate / count) * sums[l][j][i];
            sums[l][j][i] = 0;
            if (i === 0 || config.regularization === "none") return;
            const slope = config.regularization === "l2" ? old : Math.sign(old);
            const shrunk = neuron[i] - rate * config.regularizationRate * slope;
            if (config.regularization === "l1" && neuron[i] * shrunk < 0) dead[l][j][i] = true;
            neuron[i] = dead[l][j][i] ? 0 : shrunk;
          }),
        ),
      );
      count = 0;
    }
  return layers;
}

test.each([
  { batchSize: 10 },
  { batchSize: 30 }, // 250 points: each epoch carries 10 over
  { batchSize: 7, networkShape: [3] },
  { batchSize: 10, networkShape: [] },
  { batchSize: 10, regularization: "l2" as const, regularizationRate: 0.1 as const },
  { batchSize: 10, regularization: "l1" as const, regularizationRate: 0.03 as const },
])("training follows the Playground's rules: %o", (changes) => {
  const config = configure({ dataset: "xor", noise: 10, ...changes });
  const classifier = new Classifier(config);
  const { layers } = classifier.snapshot();
  for (const { weight, bias } of layers) {
    for (const w of weight) expect(Math.abs(w)).toBeLessThanOrEqual(0.5);
    for (const b of bias) expect(b).toBeCloseTo(0.1, 6);
  }
  const expected = reference(layers, classifier.points.train, config, 6);
  for (let i = 0; i < 6; i++) classifier.runEpoch();
  const trained = classifier.snapshot().layers;
  let zeros = 0;
  expected.forEach((layer, l) =>
    layer.forEach(([b, ...w], j) => {
      expect(trained[l].bias[j]).toBeCloseTo(b, 4);
      w.forEach((v, i) => {
        expect(trained[l].weight[j * w.length + i]).toBeCloseTo(v, 4);
        if (v === 0) zeros++;
      });
    }),
  );
  expect(zeros > 0).toBe(config.regularization === "l1");
});

test.each(["sgd", "momentum", "nesterov", "adam", "rmsprop", "adagrad"] as const)(
  "%s learns the circle",
  (optimizer) => {
    const classifier = new Classifier(
      configure({ optimizer, learningRate: optimizer === "sgd" || optimizer === "adagrad" ? 0.1 : 0.01 }),
    );
    const before = classifier.losses().train;
    for (let i = 0; i < 60; i++) classifier.runEpoch();
    const after = classifier.losses();
    expect(after.train).toBeLessThan(before / 2);
    expect(after.test).toBeLessThan(before / 1.5);
  },
);

test("maps show every neuron over the plane, from the top left", () => {
  const classifier = new Classifier(configure({ networkShape: [3, 2] }));
  const { maps, layers, trainLoss } = classifier.snapshot();
  expect(maps.map((layer) => layer.length)).toEqual([3, 2, 1]);
  const at = (cell: number): number => ((2 * cell + 1) / GRID - 1) * DOMAIN;
  for (const [row, column] of [
    [0, 0],
    [10, 90],
    [99, 40],
  ]) {
    let x = [at(column), -at(row)];
    layers.forEach(({ weight, bias }, l) => {
      x = [...bias].map((b, j) => Math.tanh(x.reduce((sum, v, i) => sum + v * weight[j * x.length + i], b)));
      x.forEach((v, j) => expect(Math.abs(maps[l][j][row * GRID + column] - 127.5 * (v + 1))).toBeLessThan(1));
    });
  }
  expect(trainLoss).toBeGreaterThan(0.3);
});

test("the same configuration trains to the same bits, and a tuned one goes on", () => {
  const run = (): Snapshot => {
    const classifier = new Classifier(configure({ dataset: "spiral", seed: 9, networkShape: [8, 8, 8] }));
    for (let i = 0; i < 5; i++) classifier.runEpoch();
    classifier.tune(
      configure({ dataset: "spiral", seed: 9, networkShape: [8, 8, 8], learningRate: 0.1, batchSize: 3 }),
    );
    for (let i = 0; i < 5; i++) classifier.runEpoch();
    return classifier.snapshot();
  };
  expect(run()).toEqual(run());
});

test("reconfiguring keeps the network where it may and gives its memory back where it may not", () => {
  const apply = (changes: Partial<Config>, fresh = false) =>
    functions.configure({ config: configure(changes), revision: 1, fresh }).picture.epoch;
  apply({});
  functions.step();
  expect(functions.step()).toMatchObject({ epoch: 2, revision: 1 });
  expect(apply({ learningRate: 1, batchSize: 1, regularization: "l2" })).toBe(2);
  expect(apply({ learningRate: 1, batchSize: 1, regularization: "l2", noise: 5 })).toBe(0);
  functions.step();
  expect(apply({ learningRate: 1, batchSize: 1, regularization: "l2", noise: 5 }, true)).toBe(0);
  apply({ noise: 1 });
  const { live } = memoryUse();
  for (let noise = 0; noise <= 50; noise++) apply({ noise });
  apply({ noise: 1 });
  expect(memoryUse().live).toBe(live);
});

test("curves stay short, keep the start and end with the present", () => {
  const history = new History();
  for (let epoch = 0; epoch <= 10_000; epoch++) if (history.wants(epoch)) history.add(epoch, { train: epoch, test: 0 });
  const { epochs, train } = history.curves(10_003, { train: -1, test: -1 });
  expect(epochs.length).toBeGreaterThan(300);
  expect(epochs.length).toBeLessThan(620);
  expect(epochs[0]).toBe(0);
  expect(epochs.at(-1)).toBe(10_003);
  expect(train.at(-1)).toBe(-1);
  expect([...train.slice(0, -1)]).toEqual([...epochs.slice(0, -1)]);
  const steps = new Set([...epochs.slice(1, -1)].map((epoch, i) => epoch - epochs[i]));
  expect(steps.size).toBe(1);
});
