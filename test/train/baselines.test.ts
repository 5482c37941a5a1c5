import { expect, test } from "vitest";
import { PythonRandom } from "../../src/core/mt19937.ts";
import { linearRegression, meanPredictor } from "../../src/train/baselines.ts";

const random = new PythonRandom(7);
const uniform = (): number => random.uint32() / 2 ** 31 - 1;

test("the mean of every column", () => {
  const predict = meanPredictor(Float32Array.of(1, 10, 3, 30), 2);
  expect([...predict(2)]).toEqual([2, 20, 2, 20]);
});

test("linear regression finds an exact linear law of several targets", () => {
  const [n, width] = [200, 6];
  const x = Float32Array.from({ length: n * width }, uniform);
  const law = (row: number, c: number): number =>
    Array.from({ length: width }, (_, i) => (i - 2 + c) * x[row * width + i]).reduce((a, b) => a + b, 5 * c);
  const y = Float32Array.from({ length: n * 2 }, (_, i) => law(Math.floor(i / 2), i % 2));
  const predicted = linearRegression(x, y, n)(x, n);
  predicted.forEach((p, i) => expect(p).toBeCloseTo(y[i], 3));
});

test("constant and repeated columns do no harm", () => {
  const n = 50;
  const base = Array.from({ length: n }, uniform);
  const x = Float32Array.from(base.flatMap((v) => [v, v, 3]));
  const y = Float32Array.from(base.map((v) => 2 * v + 1));
  const predicted = linearRegression(x, y, n)(x, n);
  predicted.forEach((p, i) => expect(p).toBeCloseTo(y[i], 3));
});
