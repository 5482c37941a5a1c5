// One compute thread: instantiates the kernels on the shared memory, then takes chunks of jobs for ever (see parallel.ts).
// Plain JavaScript, because Node and browsers load this very file as a worker.
import { instantiate } from "@assemblyscript/loader";
import { ACTIVE, CONTROL, SLEEPERS, SPINS, TICKET, takeChunks, unfinished } from "./job.js";

const inBrowser = typeof globalThis.WorkerGlobalScope !== "undefined";
const nodeThreads = "node:worker_threads"; // a variable, so that bundlers leave the import to Node
const port = inBrowser ? globalThis : (await import(/* @vite-ignore */ nodeThreads)).parentPort;

/** @param {{ module: WebAssembly.Module, memory: WebAssembly.Memory, index: number, names: string[] }} start */
async function run({ module, memory, index, names }) {
  const { exports } = await instantiate(module, { env: { memory } });
  const kernels = names.map((name) => exports[name]);
  const control = new Int32Array(memory.buffer, CONTROL, 64);
  port.postMessage("ready");
  for (let spins = 0; ; spins++) {
    const ticket = Atomics.load(control, TICKET);
    if (unfinished(ticket) && index < Atomics.load(control, ACTIVE)) {
      takeChunks(memory.buffer, control, kernels);
      spins = 0;
    } else if (spins > SPINS) {
      Atomics.add(control, SLEEPERS, 1);
      Atomics.wait(control, TICKET, ticket);
      Atomics.sub(control, SLEEPERS, 1);
      spins = 0;
    }
  }
}

if (inBrowser) globalThis.onmessage = (event) => run(event.data);
else port.once("message", run);
