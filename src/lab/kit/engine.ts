import type { Capabilities } from "../../core/wasm.ts";

/** What a demo says when it stands: what computes, and which parts of the address it could not use. */
export function engineLine({ variant, threads, reason }: Capabilities, rejected: readonly string[]): string {
  const engine = [variant, ...(threads > 1 ? [`${threads} threads`] : []), reason].filter(Boolean).join("; ");
  const complaint =
    rejected.length > 0 ? ` The address has no usable value for ${rejected.join(", ")}; defaults are used.` : "";
  return `Computed in a Worker on this machine: ${engine}.${complaint}`;
}
