import { defineConfig } from "vitest/config";

/** The long fuzz runs (`npm run fuzz`); `npm test` runs a few hundred trials of the same bodies. */
export default defineConfig({ test: { include: ["test/fuzz/**/*.fuzz.ts"], testTimeout: 3_600_000 } });
