import { expect, test } from "vitest";
import { fuzzFormulas } from "./formula.ts";

test("formulas: 100,000 damaged ones", { timeout: 600_000 }, () => {
  const refused = fuzzFormulas(100_000, 7);
  expect(refused).toBeGreaterThan(30_000);
  expect(refused).toBeLessThan(90_000);
});
