// One compute thread: instantiates the kernels on the shared memory, then takes chunks of jobs for ever (see parallel.ts).
// Plain JavaScript, because Node and browsers load this very file as a worker.
import { instantiate } from "@assemblyscript/loader";
import { ACTIVE, CONTROL, SLEEPERS, SPINS, TICKET, takeChunks, unfinished } from "./job.js";

/**
 * @param {{ postMessage(message: unknown): void }} port
 * @param {{ module: WebAssembly.Module, memory: WebAssembly.Memory, index: number, names: string[] }} start
 */
async function run(port, { module, memory, index, names }) {
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

const nodeThreads = "node:worker_threads"; // a variable, so that bundlers leave the import to Node
// No await at the top level: bundlers also make classic scripts of Workers.
if (typeof globalThis.WorkerGlobalScope !== "undefined") globalThis.onmessage = ({ data }) => run(globalThis, data);
else
  import(/* @vite-ignore */ nodeThreads).then(({ parentPort }) =>
    parentPort.once("message", (start) => run(parentPort, start)),
  );
