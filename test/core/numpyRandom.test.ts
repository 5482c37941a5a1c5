import { expect, test } from "vitest";
import { NumpyRandom } from "../../src/core/numpyRandom.ts";
import { log } from "../../src/core/portableLog.ts";
import fixture from "../fixtures/mnist1d.json";

const times = (n: number, draw: () => number) => Array.from({ length: n }, draw);

test.each(fixture.draws)("NumPy's stream of seed $seed", (numpy) => {
  const random = new NumpyRandom(numpy.seed);
  const close = (x: number, y: number) => expect(Math.abs(x - y)).toBeLessThanOrEqual(4e-16 * Math.abs(y));
  expect(times(3, () => random.random())).toEqual(numpy.random);
  times(3, () => random.normal()).forEach((x, i) => void close(x, numpy.normal[i]));
  const integers = times(8, () => random.integer(48));
  expect([...integers, ...[2, 3, 2 ** 31 + 1, 2 ** 32].map((n) => random.integer(n))]).toEqual(numpy.integers);
  const after = [random.normal(), random.random(), random.normal(), random.normal()];
  after.forEach((x, i) => void close(x, numpy.after[i]));
});

test("one possible number needs no draw; none is refused", () => {
  const random = new NumpyRandom(7);
  expect(random.integer(1)).toBe(0);
  expect(random.random()).toBe(new NumpyRandom(7).random());
  for (const n of [0, 2.5, 2 ** 32 + 1]) expect(() => random.integer(n)).toThrow(`n must be 1 … 2^32, not ${n}.`);
});

test("log and the engine agree to two last bits from the smallest double to the largest", () => {
  for (let k = -1074; k <= 1023; k += 3)
    for (const m of [1, 1.1, Math.SQRT2, 1.7, 1.999]) {
      const x = m * 2 ** k;
      expect(Math.abs(log(x) - Math.log(x)), `log ${x}`).toBeLessThanOrEqual(4e-16 * Math.abs(Math.log(x)));
    }
  for (let i = 1; i < 2000; i++) {
    const x = 1 + (i - 1000) / 4001;
    expect(Math.abs(log(x) - Math.log(x)), `log ${x}`).toBeLessThanOrEqual(4e-16 * Math.abs(Math.log(x)));
  }
  expect([log(1), log(0), log(Infinity), log(-1), log(Number.NaN)]).toEqual([0, -Infinity, Infinity, NaN, NaN]);
});
