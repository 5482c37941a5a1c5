import { expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { PythonRandom, RandomState } from "../../src/core/mt19937.ts";
import fixture from "../fixtures/mt19937.json";

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const words = (rng: { uint32(): number }, n: number) => range(n).map(() => rng.uint32());
/** The items of `x` at the places that the fixture recorded. */
const at = (x: ArrayLike<number>, places: object) =>
  Object.fromEntries(Object.keys(places).map((i) => [i, x[Number(i)]]));

test("random.seed(123); random.shuffle(list(range(10))) as CGCNN splits its data", () => {
  const x = range(10);
  new PythonRandom(123).shuffle(x);
  expect(x).toEqual([8, 7, 5, 9, 2, 3, 6, 1, 4, 0]);
});

test("seed 5489 gives the reference implementation's 10,000th word", () => {
  // ISO C++ states this value for std::mt19937, whose default seed is 5489.
  expect(words(new RandomState(5489), 10_000)[9999]).toBe(4123659995);
});

test.each(fixture.numpy)("NumPy RandomState($seed)", (numpy) => {
  const drawn = words(new RandomState(numpy.seed), 1300);
  expect(drawn.slice(0, 4)).toEqual(numpy.words);
  expect(drawn[1299]).toBe(numpy.word1299);
  for (const [n, order] of Object.entries(numpy.permutations))
    expect([...new RandomState(numpy.seed).permutation(Number(n))], `n = ${n}`).toEqual(order);
  expect(at(new RandomState(numpy.seed).permutation(100_000), numpy.big)).toEqual(numpy.big);

  const state = new RandomState(numpy.seed);
  const letters = [..."abcdefgh"];
  state.shuffle(letters);
  expect(letters.join("")).toBe(numpy.letters);
  const again = Float64Array.from(range(5));
  state.shuffle(again);
  expect([...again]).toEqual(numpy.again);
});

test.each(fixture.python)("Python random.seed($seed)", (python) => {
  const seed = BigInt(python.seed);
  expect(words(new PythonRandom(seed), 4)).toEqual(python.words);
  for (const [n, order] of Object.entries(python.shuffled)) {
    const x = range(Number(n));
    new PythonRandom(seed).shuffle(x);
    expect(x, `n = ${n}`).toEqual(order);
  }
  const big = range(100_000);
  new PythonRandom(seed).shuffle(big);
  expect(at(big, python.big)).toEqual(python.big);
});

test("a number and a bigint of the same value are the same Python seed", () => {
  expect(words(new PythonRandom(2 ** 40 + 3), 3)).toEqual(words(new PythonRandom(2n ** 40n + 3n), 3));
});

test.each([-1, 0.5, 2 ** 32, Number.NaN])("RandomState refuses the seed %s, as NumPy does", (seed) => {
  expect(() => new RandomState(seed)).toThrow(UserError);
});

test.each([0.5, 2 ** 53, Number.POSITIVE_INFINITY])("PythonRandom refuses the seed %s", (seed) => {
  expect(() => new PythonRandom(seed)).toThrow(/whole number/);
});
