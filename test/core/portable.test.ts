import { describe, expect, test } from "vitest";
import { cosPi, erfcx, exp, pow, powInt, sinPi } from "../../src/core/portable.ts";

describe("powInt", () => {
  test("exact where the result is", () => {
    expect([0, 1, 2, 3, 10, 52].map((n) => powInt(2, n))).toEqual([1, 2, 4, 8, 1024, 2 ** 52]);
    expect(powInt(3, 33)).toBe(5559060566555523);
    expect([powInt(0, 0), powInt(0, 5), powInt(-2, 3), powInt(-2, 4)]).toEqual([1, 0, -8, 16]);
    expect(powInt(0.5, 1074)).toBe(Number.MIN_VALUE);
    expect(powInt(0.9, 1_000_000)).toBe(0);
  });

  test("within n roundings of the engine's power", () => {
    for (const x of [0.9, 0.99, 0.999, 0.1, 1.0001, 1.5])
      for (const n of [1, 2, 3, 7, 10, 100, 365, 1000]) {
        const exact = x ** n;
        expect(Math.abs(powInt(x, n) - exact), `${x}^${n}`).toBeLessThanOrEqual(n * 2 ** -53 * exact);
      }
  });

  test("pow leaves only powers that are not whole to the engine", () => {
    expect(pow(0.7, 11)).toBe(powInt(0.7, 11));
    expect(pow(0.7, 0.5)).toBe(0.7 ** 0.5);
    expect(pow(2, -1)).toBe(0.5);
  });
});

describe("cosPi", () => {
  test("exact at whole, half and third turns", () => {
    expect([0, 0.5, 1, 1.5, 2, 3, 1e6, 1e6 + 1].map(cosPi)).toEqual([1, 0, -1, 0, 1, -1, 1, -1]);
    expect(cosPi(1 / 3)).toBeCloseTo(0.5, 15);
    expect(cosPi(0.25)).toBeCloseTo(Math.SQRT1_2, 15);
  });

  test("within 1e-15 of cos πt, even and of period 2", () => {
    for (let i = -4000; i <= 4000; i++) {
      const t = i / 1999.5;
      // Math.cos of a rounded product: its argument is wrong by up to |πt|·2⁻⁵³ itself.
      expect(Math.abs(cosPi(t) - Math.cos(Math.PI * t)), `t = ${t}`).toBeLessThan(1e-15 + Math.abs(t) * 4e-16);
      expect(cosPi(-t)).toBe(cosPi(t));
    }
    for (const t of [0.125, 0.375, 0.75]) expect(cosPi(t + 2)).toBe(cosPi(t));
  });

  test("cos² + sin² = 1 and cos 2x = 2cos² − 1, to the last digits", () => {
    for (let i = 0; i <= 512; i++) {
      const t = i / 512; // so that every argument is exact
      expect(Math.abs(cosPi(t) ** 2 + cosPi(0.5 - t) ** 2 - 1)).toBeLessThan(5e-16);
      expect(Math.abs(cosPi(2 * t) - (2 * cosPi(t) ** 2 - 1))).toBeLessThan(1e-15);
    }
  });
});

test("sin πt is cos π(t − ½)", () => {
  expect([0, 0.5, 1, 1.5, -0.5].map(sinPi)).toEqual([0, 1, 0, -1, -1]);
  for (let i = -200; i <= 200; i++) expect(Math.abs(sinPi(i / 64) - Math.sin((Math.PI * i) / 64))).toBeLessThan(2e-15);
});

describe("exp", () => {
  test("within 2.5e-16 of the value, as far as the engine's is right to 0.5 ulp", () => {
    for (let i = -70000; i <= 70900; i++) {
      const x = i / 100.03;
      expect(Math.abs(exp(x) / Math.exp(x) - 1), `x = ${x}`).toBeLessThan(4.5e-16);
    }
  });

  test("exact at 0, and at the ends of what a double can hold", () => {
    expect([exp(0), exp(-0), exp(-Infinity), exp(Infinity), exp(Number.NaN)]).toEqual([1, 1, 0, Infinity, Number.NaN]);
    expect([exp(-746), exp(710)]).toEqual([0, Infinity]);
    expect(exp(709.78) / 1.7928227943945155e308).toBeCloseTo(1, 12);
    expect(exp(-744.5)).toBe(Number.MIN_VALUE);
  });
});

test.each([
  // x, e^(x²)·erfc(x) by mpmath, 30 digits.
  [0, 1.0],
  [0.0625, 0.9332062486492742],
  [0.25, 0.7703465477309968],
  [0.5, 0.6156903441929259],
  [1, 0.427583576155807],
  [1.75, 0.2849722347374364],
  [2.5, 0.2108063640611436],
  [3.75, 0.14558972127503855],
  [5, 0.11070463773306863],
  [7.5, 0.07457369306287669],
  [12, 0.04685422101489376],
  [40, 0.014100335983377814],
  [1000, 0.0005641893014533876],
])("erfcx(%f) within 1e-15", (x, expected) => {
  expect(Math.abs(erfcx(x) / expected - 1)).toBeLessThan(1e-15);
});
