import { UserError } from "../core/errors.ts";
import { init } from "../core/parallel.ts";
import type { Capabilities } from "../core/wasm.ts";
import type { ErrorReport, Functions, Port, Reply, Request } from "./protocol.ts";

/** What a served function has in hand beside its argument. `P` is what it reports. */
export interface Control<P = never> {
  /** Aborted when the page stops the run; `fit` takes it as its `signal`. */
  readonly signal: AbortSignal;
  /** The page has dealt with the last report: ask before making a costly one. */
  readonly ready: boolean;
  /** Sends progress. While the page is busy with a report, the newest one waits and older ones are dropped. */
  report(progress: P, options?: { transfer?: Transferable[] }): void;
  /** Lets messages in now and then and holds while paused; false once stopped: `while (await control.proceed()) step();` */
  proceed(): Promise<boolean>;
}

/** Compute is synchronous; after this many milliseconds of it, `proceed` lets messages in. */
const SLICE = 5;

/**
 * Serves `functions` to the page that started this Worker (see `connect`): call it once, in the Worker's module.
 * The library is ready when a function is called. Functions may run side by side: each call of `proceed` lets the others in.
 */
export function serve(functions: Functions, port: Port = theWorker()): void {
  const runs = new Map<number, Run>();
  let ready: Promise<Capabilities> | undefined;
  const reply = (message: Reply, transfer: Transferable[] = []): void => port.postMessage(message, transfer);

  const start = async (id: number, name: string, args: unknown): Promise<void> => {
    const run = new Run(name, (value, transfer) => reply({ type: "progress", id, value }, transfer));
    runs.set(id, run);
    try {
      if (!Object.hasOwn(functions, name))
        throw new UserError(
          `This Worker serves no function "${name}".`,
          `It serves ${Object.keys(functions).join(", ")}.`,
        );
      await ready;
      const value = await functions[name](args as never, run as never);
      run.flush();
      sendable(name, () => reply({ type: "result", id, value }));
    } catch (error) {
      reply({ type: "error", id, error: describe(error) });
    } finally {
      runs.delete(id);
    }
  };

  port.addEventListener("message", ({ data }: MessageEvent<Request>) => {
    switch (data.type) {
      case "init":
        // Sent twice by a page that was there before this Worker listened.
        if (ready) return;
        ready = init(data.options);
        ready.then(
          (capabilities) => reply({ type: "ready", capabilities }),
          (error) => reply({ type: "refused", error: describe(error) }),
        );
        return;
      case "run":
        start(data.id, data.name, data.args);
        return;
      default:
        runs.get(data.id)?.[data.type]();
    }
  });
  port.start?.();
  reply({ type: "serving" });
}

function theWorker(): Port {
  if (!("WorkerGlobalScope" in globalThis))
    throw new UserError("serve: this is not a Worker.", "Call it in the module that you give to `new Worker(…)`.");
  return globalThis as unknown as Port;
}

/** One call of a function, as the function sees it (Control) and as messages steer it. */
class Run implements Control<unknown> {
  private readonly abort = new AbortController();
  private waiting: { value: unknown; transfer?: Transferable[] } | undefined;
  private paused = false;
  private wake: () => void = () => {};
  private since = performance.now();
  ready = true;

  constructor(
    private readonly name: string,
    private readonly send: (value: unknown, transfer?: Transferable[]) => void,
  ) {}

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  report(value: unknown, { transfer }: { transfer?: Transferable[] } = {}): void {
    this.waiting = { value, transfer };
    if (this.ready) this.flush();
  }

  /** Sends the report that waits, if any. */
  flush(): void {
    const { waiting } = this;
    if (!waiting) return;
    this.waiting = undefined;
    this.ready = false;
    sendable(this.name, () => this.send(waiting.value, waiting.transfer));
  }

  async proceed(): Promise<boolean> {
    if (performance.now() - this.since > SLICE) {
      await turn();
      this.since = performance.now();
    }
    while (this.paused && !this.signal.aborted)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    return !this.signal.aborted;
  }

  next(): void {
    this.ready = true;
    this.flush();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.wake();
  }

  stop(): void {
    this.abort.abort();
    this.wake();
  }
}

/** One turn of the event loop, by a message: timers would cost 4 ms each. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

/** Explains the one way in which sending fails. */
function sendable(name: string, send: () => void): void {
  try {
    send();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "DataCloneError")) throw error;
    throw new UserError(
      `${name}: what it reports or returns cannot be sent to the page (${error.message})`,
      "Send numbers, text, plain objects and typed arrays; of a tensor, send `tensor.toArray()`.",
    );
  }
}

function describe(error: unknown): ErrorReport {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, stack } = error;
  return { name, message, stack, hint: error instanceof UserError ? error.hint : undefined };
}
