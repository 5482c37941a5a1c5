import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, preview } from "vite";

const root = fileURLToPath(new URL("../../src/lab", import.meta.url));

/** The lab's built page, served as vite.config.ts says: isolated, and with a strict policy. */
export async function serveBuilt(): Promise<{ address: string; close(): Promise<void> }> {
  const outDir = mkdtempSync(join(tmpdir(), "spinel-lab-"));
  const common = { root, configFile: join(root, "vite.config.ts"), logLevel: "error" as const };
  await build({ ...common, build: { outDir } });
  const server = await preview({ ...common, build: { outDir }, preview: { port: 0, host: "127.0.0.1" } });
  return {
    address: server.resolvedUrls!.local[0],
    async close() {
      await server.close();
      rmSync(outDir, { recursive: true });
    },
  };
}
