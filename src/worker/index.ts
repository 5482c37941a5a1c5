/** spinel/worker: the library inside a Worker, and the page's line to it. */
export { connect, type Running, type RunOptions, type Session } from "./connect.ts";
export type { Functions, Port } from "./protocol.ts";
export { type Control, serve } from "./serve.ts";
