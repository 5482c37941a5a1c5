import { expect, test } from "vitest";
import { structureTrial } from "./structures.ts";
import { fuzz } from "./tables.ts";

test("100,000 mutated structure files: sound structures or a clear error, in time", async () => {
  const { accepted, rejected } = await fuzz(structureTrial, { seed: Number(process.env.SEED ?? 1), trials: 100_000 });
  expect(accepted).toBeGreaterThan(10_000);
  expect(rejected).toBeGreaterThan(10_000);
});
