import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** Cross-origin isolation: only then may a page share memory between its threads. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** `npm run lab` serves the page from here; `vite build src/lab` writes it to build/lab, for any web server that sends `headers`. */
export default defineConfig({
  base: "./",
  server: { headers, fs: { allow: [fileURLToPath(new URL("../..", import.meta.url))] } },
  preview: {
    headers: { ...headers, "Content-Security-Policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" },
  },
  worker: { format: "es" },
  build: { target: "es2022", outDir: "../../build/lab", emptyOutDir: true, assetsInlineLimit: 0 },
  // Dependencies are ES modules and are served as they are, but for this one.
  optimizeDeps: { noDiscovery: true, include: ["jpeg-js"] },
});
