import { createServer, type ViteDevServer } from "vite";

/** With these a page may share memory between its threads. */
export const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Vite's development server for a folder of test pages, on a free port. Dependencies are served as they are: all are ES modules. */
export async function serveFolder(root: string, headers: Record<string, string> = {}): Promise<ViteDevServer> {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    server: { port: 0, host: "127.0.0.1", headers, hmr: false, fs: { strict: false }, watch: null },
    optimizeDeps: { noDiscovery: true },
  });
  return server.listen();
}

export function addressOf(server: ViteDevServer): string {
  return server.resolvedUrls!.local[0];
}
