import type { Capabilities, InitOptions } from "../core/wasm.ts";

/** What the page says to the Worker. `id` names one run. */
export type Request =
  | { type: "init"; options: InitOptions }
  | { type: "run"; id: number; name: string; args: unknown }
  /** `next`: the page has dealt with the last progress report. */
  | { type: "pause" | "resume" | "stop" | "next"; id: number };

/** What the Worker says to the page. `refused` is the failure of `init`. */
export type Reply =
  | { type: "serving" }
  | { type: "ready"; capabilities: Capabilities }
  | { type: "refused"; error: ErrorReport }
  | { type: "progress"; id: number; value: unknown }
  | { type: "result"; id: number; value: unknown }
  | { type: "error"; id: number; error: ErrorReport };

/** An error as plain data: structured clones of errors lose their class and their hint. */
export interface ErrorReport {
  name: string;
  message: string;
  hint?: string;
  stack?: string;
}

/** One end of the line: a Worker on the page, the global scope inside a Worker, or a MessagePort. */
export interface Port {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  addEventListener(type: "error", listener: (event: Event) => void): void;
  /** MessagePorts deliver only once they are started. */
  start?(): void;
  terminate?(): void;
  close?(): void;
}

/** Functions that a Worker serves: each takes one argument, and a `Control` where it reports progress or can be stopped. */
export type Functions = Record<string, (args: never, control: never) => unknown>;
