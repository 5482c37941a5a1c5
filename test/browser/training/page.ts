import type { Capabilities, InitOptions } from "../../../src/index.ts";
import { connect } from "../../../src/worker/index.ts";
import type { functions, Outcome } from "./functions.ts";

export interface PageResult extends Outcome {
  capabilities: Capabilities;
  lastStep: number;
}

declare global {
  interface Window {
    train(steps: number, options: InitOptions): Promise<PageResult>;
    playground(addresses: readonly string[]): Promise<{ train: number; test: number }[]>;
    fail(): Promise<string>;
  }
}

window.train = async (steps, options) => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const session = await connect<typeof functions>(worker, options);
  let lastStep = 0;
  const outcome = await session.run("train", steps, {
    onProgress: ({ step }) => {
      lastStep = step;
    },
  });
  session.close();
  return { ...outcome, capabilities: session.capabilities, lastStep };
};

window.playground = async (addresses) => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const session = await connect<typeof functions>(worker, { deterministic: true });
  return Promise.all(addresses.map((address) => session.run("playground", address)));
};

window.fail = () => {
  const nowhere = "/nowhere.js";
  return connect(new Worker(new URL(nowhere, location.href))).then(
    () => "connected",
    (error: Error) => error.message,
  );
};
