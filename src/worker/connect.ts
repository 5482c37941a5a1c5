import { ShapeError, UserError } from "../core/errors.ts";
import type { Capabilities, InitOptions } from "../core/wasm.ts";
import type { ErrorReport, Functions, Port, Reply, Request } from "./protocol.ts";
import type { Control } from "./serve.ts";

type Progress<F> = F extends (args: never, control: infer C) => unknown
  ? C extends Control<infer P>
    ? P
    : never
  : never;
type Result<F extends (...args: never) => unknown> = Awaited<ReturnType<F>>;

export interface RunOptions<P> {
  /** Receives reports, newest first served: the Worker sends the next one when this has returned (or its promise resolved). */
  onProgress?: (progress: P) => unknown;
  /** Aborting is `stop()`. */
  signal?: AbortSignal;
}

/** `run`'s arguments: none needed for a function without any. */
type RunArguments<F extends (...args: never) => unknown> =
  Parameters<F> extends []
    ? [args?: undefined, options?: RunOptions<Progress<F>>]
    : [args: Parameters<F>[0], options?: RunOptions<Progress<F>>];

/** A call that is under way: await it for the result, or steer it. */
export interface Running<R> extends Promise<R> {
  /** Holds it at its next `proceed`. */
  pause(): void;
  resume(): void;
  /** Asks it to end at its next `proceed`: the promise resolves with what the function then returns. */
  stop(): void;
}

/** A Worker in which the library runs. */
export interface Session<F extends Functions> {
  readonly capabilities: Capabilities;
  /** Calls a function that the Worker serves. Calls may overlap. */
  run<K extends keyof F & string>(name: K, ...rest: RunArguments<F[K]>): Running<Result<F[K]>>;
  /** Ends the Worker and its compute threads at once; calls under way are rejected. */
  close(): void;
}

/**
 * Starts the library inside `worker` (whose module calls `serve`) and returns the line to it, typed by the functions served.
 *
 * @param options  those of `init`
 * @example
 * import type { functions } from "./training.ts";
 * const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
 * const session = await connect<typeof functions>(worker, { threads: 2 });
 * const loss = await session.run("train", { epochs: 10 }, { onProgress: ({ epoch }) => console.log(epoch) });
 */
export function connect<F extends Functions>(worker: Port, options: InitOptions = {}): Promise<Session<F>> {
  return new Promise((resolve, reject) => {
    const line = new Line(worker);
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      if (data.type === "serving") line.send({ type: "init", options });
      else if (data.type === "ready") resolve(line.session(data.capabilities));
      else if (data.type === "refused") reject(revive(data.error));
      else line.receive(data);
    });
    worker.addEventListener("error", (event) => {
      const { message, filename } = event as Partial<ErrorEvent>;
      const why = message ? `: ${message}${filename ? ` (${filename})` : ""}` : ".";
      reject(
        new UserError(
          `The Worker did not start${why}`,
          message ? undefined : "Look for its address among the browser's network errors.",
        ),
      );
    });
    worker.start?.();
    line.send({ type: "init", options });
  });
}

interface Call {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  onProgress?: (progress: unknown) => unknown;
}

/** The page's end: numbers the calls and hands each reply to its own. */
class Line {
  private readonly calls = new Map<number, Call>();
  private lastId = 0;
  private closed = false;

  constructor(private readonly port: Port) {}

  send(request: Request): void {
    this.port.postMessage(request);
  }

  session<F extends Functions>(capabilities: Capabilities): Session<F> {
    return {
      capabilities,
      run: (name, ...[args, options]) => this.run(name, args, options as RunOptions<unknown>) as Running<never>,
      close: () => this.close(),
    };
  }

  receive(reply: Extract<Reply, { id: number }>): void {
    const call = this.calls.get(reply.id);
    if (!call) return;
    if (reply.type === "progress") {
      this.progress(reply.id, call, reply.value);
      return;
    }
    this.calls.delete(reply.id);
    if (reply.type === "result") call.resolve(reply.value);
    else call.reject(revive(reply.error));
  }

  /** An error in `onProgress` is the page's own: the call is stopped and fails with it. */
  private async progress(id: number, call: Call, value: unknown): Promise<void> {
    try {
      await call.onProgress?.(value);
      if (!this.closed) this.send({ type: "next", id });
    } catch (error) {
      this.calls.delete(id);
      if (!this.closed) this.send({ type: "stop", id });
      call.reject(error);
    }
  }

  private run(name: string, args: unknown, { onProgress, signal }: RunOptions<unknown> = {}): Running<unknown> {
    const id = ++this.lastId;
    const tell = (type: "pause" | "resume" | "stop") => (): void => {
      if (this.calls.has(id)) this.send({ type, id });
    };
    const stop = tell("stop");
    const result = new Promise<unknown>((resolve, reject) => {
      if (this.closed) throw new UserError(`run("${name}"): this session was closed.`, "Connect to a new Worker.");
      this.calls.set(id, { resolve, reject, onProgress });
      try {
        this.send({ type: "run", id, name, args });
      } catch (error) {
        this.calls.delete(id);
        throw error;
      }
    });
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    return Object.assign(result, { pause: tell("pause"), resume: tell("resume"), stop });
  }

  private close(): void {
    for (const id of this.calls.keys()) this.send({ type: "stop", id });
    this.closed = true;
    (this.port.terminate ?? this.port.close)?.call(this.port);
    for (const call of this.calls.values()) call.reject(new UserError("The session was closed while this ran."));
    this.calls.clear();
  }
}

/** The error as it was thrown in the Worker, with the Worker's stack. */
function revive({ name, message, hint, stack }: ErrorReport): Error {
  const kind = name === "ShapeError" ? ShapeError : name === "UserError" ? UserError : Error;
  return Object.assign(new kind(message), { name, stack, ...(hint === undefined ? {} : { hint }) });
}
