/** A task for the newest request only: while one runs, of those that come the last is kept, and runs next. */
export function latest<A>(task: (request: A) => Promise<void>): (request: A) => Promise<void> {
  let waiting: { request: A } | undefined;
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    try {
      while (waiting) {
        const { request } = waiting;
        waiting = undefined;
        await task(request);
      }
    } finally {
      running = undefined;
    }
  };
  return (request) => {
    waiting = { request };
    running ??= run();
    return running;
  };
}
