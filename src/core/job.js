// The job that all threads share, in the first kilobyte of the Wasm memory, and the one way to take a chunk of it.
//
// A ticket is [epoch: 12 bits | next chunk: 10 | chunk count: 10]. A thread takes a chunk by compare-and-swap of the whole
// ticket and reads the job's description only after it has won: a job cannot end while a taken chunk is unfinished, so what
// it then reads belongs to the ticket that it swapped, however late the thread was.

/** Byte offset of the control words; byte offset of the kernel's arguments (f64 each); bytes kept free for all of it. */
export const CONTROL = 64;
export const ARGUMENTS = 320;
export const RESERVED = 1024;

/** Indices of the control words. */
export const TICKET = 0;
export const DONE = 1;
export const KERNEL = 2;
export const SIZE = 3;
export const CHUNK = 4;
export const COUNT = 5;
export const SLEEPERS = 6;
export const ACTIVE = 7;
export const FAILED = 8;

export const MAX_CHUNKS = 1023;
export const MAX_ARGUMENTS = 40;
/** Looks at the ticket about this often (some 40 µs) before a thread goes to sleep. */
export const SPINS = 20_000;

/** @param {number} ticket */
export const unfinished = (ticket) => ((ticket >>> 10) & 1023) < (ticket & 1023);

/**
 * Takes and computes chunks until none is left.
 * @param {ArrayBufferLike} buffer
 * @param {Int32Array} control
 * @param {((...args: number[]) => void)[]} kernels
 */
export function takeChunks(buffer, control, kernels) {
  for (;;) {
    const ticket = Atomics.load(control, TICKET);
    if (!unfinished(ticket)) return;
    if (Atomics.compareExchange(control, TICKET, ticket, ticket + 1024) !== ticket) continue;
    const chunk = control[CHUNK];
    const begin = ((ticket >>> 10) & 1023) * chunk;
    const args = Array.from(new Float64Array(buffer, ARGUMENTS, control[COUNT]));
    try {
      kernels[control[KERNEL]](begin, Math.min(begin + chunk, control[SIZE]), ...args);
    } catch {
      Atomics.store(control, FAILED, 1);
    }
    if (Atomics.add(control, DONE, 1) + 1 === (ticket & 1023)) Atomics.notify(control, DONE);
  }
}
