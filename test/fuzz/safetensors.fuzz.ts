import { expect, test } from "vitest";
import { fuzzSafetensors } from "./safetensors.ts";

test("safetensors: 100,000 damaged files", { timeout: 600_000 }, () => {
  const refused = fuzzSafetensors(100_000, 2);
  expect(refused).toBeGreaterThan(50_000);
  expect(refused).toBeLessThan(100_000);
});
