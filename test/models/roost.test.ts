import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { type ElementSet, ElementSets } from "../../src/data/elementSet.ts";
import { elementVectors } from "../../src/data/elementVectors.ts";
import { grad, init, mseLoss, Rng, scope, square, sum, take, tensor } from "../../src/index.ts";
import { buildModel, Roost, type RoostOptions } from "../../src/models/index.ts";
import { ResidualNetwork } from "../../src/models/residualNetwork.ts";
import { loadStateDict, parameterCount, parameters } from "../../src/nn/index.ts";
import { Adam } from "../../src/train/optim.ts";

interface Plain {
  shape: number[];
  data: number[];
}

const fixture = JSON.parse(readFileSync(new URL("../fixtures/roost.json", import.meta.url), "utf8")) as {
  compositions: [z: number, fraction: number][][];
  options: RoostOptions;
  vectors: Plain;
  weights: Record<string, Plain>;
  described: Plain;
  gradients: Record<string, Plain>;
  trunk: { x: Plain; y: Plain; weights: Record<string, Plain> };
};
const setOf = (pairs: readonly (readonly [number, number])[]): ElementSet => ({
  numbers: pairs.map(([z]) => z),
  fractions: pairs.map(([, f]) => f),
});
const sets = fixture.compositions.map(setOf);
const small = (inputs: number, outputs: number): Roost => new Roost(inputs, outputs, new Rng(3), fixture.options);

beforeAll(async () => {
  await init({ threads: 2 });
});

function expectClose(actual: ArrayLike<number>, expected: readonly number[], tolerance = 2e-5): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  expected.forEach((e, i) => expect(Math.abs(actual[i] - e)).toBeLessThan(tolerance * scale));
}

test("the authors' sizes: 2,302,161 parameters with 200 numbers for an element and one target with its deviation", () => {
  const model = buildModel({ model: "roost", inputs: 200, outputs: 2 }, new Rng(1)) as Roost;
  // Embedding, then in each of three layers three heads, then three pools: a gate and a message network and a power each.
  const networks = (inputs: number): number => 2 * (inputs * 256 + 256) + (256 + 1) + (256 * 64 + 64) + 1;
  expect(parameterCount(model.material_nn)).toBe(200 * 63 + 63 + 9 * networks(128) + 3 * networks(64));
  const trunk = 2 * (64 * 1024 + 1024 * 512) + 1024 + 512 + (512 * 256 + 256);
  const output = 2 * (256 * 128 + 128 * 64) + 128 + 64 + (64 * 2 + 2);
  expect(parameterCount(model.trunk_nn)).toBe(trunk);
  expect(parameterCount(model.output_nns)).toBe(output);
  expect(parameterCount(model)).toBe(2_302_161);
});

test("messages and pooling against PyTorch: values and gradients", () => {
  const { material_nn } = small(5, 1);
  loadStateDict(material_nn, new Map(Object.entries(fixture.weights).map(([name, t]) => [name.slice(12), t])));
  const batch = ElementSets.batch(sets);
  const vectors = take(tensor(fixture.vectors.data, fixture.vectors.shape), { index: batch.numbers });
  const y = material_nn.forward(vectors, batch);
  expectClose(y.data, fixture.described.data);
  const trained = parameters(material_nn);
  const gradients = grad(sum(square(y)), [...trained.values()]);
  const scale = Math.max(...Object.values(fixture.gradients).flatMap(({ data }) => data.map(Math.abs)));
  [...trained.keys()].forEach((name, i) => {
    const expected = fixture.gradients[`material_nn.${name}`].data;
    expected.forEach((g, k) => expect(Math.abs(gradients[i].data[k] - g)).toBeLessThan(1e-5 * scale));
  });
});

test("the head against PyTorch", () => {
  const { x, y, weights } = fixture.trunk;
  const head = new ResidualNetwork([4, 6, 5], 3, new Rng(1), { activation: "relu" });
  loadStateDict(head, new Map(Object.entries(weights)));
  expectClose(head.forward(tensor(x.data, x.shape)).data, y.data);
});

test("a composition's prediction depends neither on its company nor on the order of its elements", () => {
  const vectors = elementVectors("descriptors");
  const model = small(vectors.width, 2).useVectors(vectors);
  const predict = (some: readonly ElementSet[]): number[] => [...model.forward(ElementSets.batch(some)).data];
  const alone = sets.flatMap((set) => predict([set]));
  expectClose(predict(sets), alone, 1e-5);
  expectClose(predict(fixture.compositions.map((pairs) => setOf([...pairs].reverse()))), alone, 1e-5);
});

test("learns a batch by heart; a fraction of 0 does no harm", () => {
  const vectors = elementVectors("onehot");
  const model = small(vectors.width, 1).useVectors(vectors);
  const optimizer = new Adam(model, { lr: 3e-3 });
  const all = [...sets, { numbers: [8, 26], fractions: [1, 0] }];
  const target = tensor([0.5, -1, 1, 0], [4, 1]);
  const step = (): number =>
    scope(() => {
      const loss = mseLoss(model.forward(ElementSets.batch(all)), target);
      optimizer.step(grad(loss, optimizer.parameters));
      return loss.item();
    });
  const first = step();
  let last = first;
  for (let i = 0; i < 60; i++) last = step();
  expect(last).toBeLessThan(0.02 * first);
});

test("says what does not fit", () => {
  expect(() => small(5, 1).useVectors(elementVectors("onehot"))).toThrow(/onehot have 118 numbers, the model takes 5/);
});
