import { expect, test } from "vitest";
import { fuzzCif } from "./cif.ts";

test("CIF: 100,000 damaged files", { timeout: 1_800_000 }, () => {
  const refused = fuzzCif(100_000, 7);
  expect(refused).toBeGreaterThan(20_000);
  expect(refused).toBeLessThan(95_000);
});
