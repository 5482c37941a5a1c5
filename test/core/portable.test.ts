import { describe, expect, test } from "vitest";
import { cosPi, pow, powInt } from "../../src/core/portable.ts";

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
