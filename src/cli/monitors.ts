import type { EpochRecord, Monitor } from "../train/fit.ts";
import { Progress } from "../train/progress.ts";
import { EventWriter } from "../train/tfevents.ts";
import type { RunFolder } from "./runFolder.ts";

const LABELS: Record<string, string> = {
  mae: "MAE",
  mse: "MSE",
  rmse: "RMSE",
  r2: "R²",
  rocAuc: "ROC-AUC",
  f1: "F1",
  balancedAccuracy: "balanced accuracy",
  energyMae: "energy MAE",
  energyMaeStructure: "energy MAE",
  forceMae: "force MAE",
  forceRmse: "force RMSE",
  stressMae: "stress MAE",
};

const UNITS: Record<string, string> = {
  energyMae: "meV/atom",
  energyMaeStructure: "meV",
  forceMae: "meV/Å",
  forceRmse: "meV/Å",
  stressMae: "GPa",
};

/** What a metric is measured in, where `unit` is the target's. */
export const unitOf = (metric: string, unit?: string): string | undefined =>
  metric === "mae" || metric === "rmse" ? unit : UNITS[metric];

/** A metric as people write it. */
export const label = (metric: string): string => LABELS[metric] ?? metric;

/** Writes each epoch to metrics.jsonl and TensorBoard's event file. `resumeStep`: the last step that a resumed run had noted. */
export async function fileMonitor(folder: RunFolder, resumeStep?: number): Promise<Monitor> {
  const events = await EventWriter.open(folder.path, { resumeStep });
  return {
    async epoch(record: EpochRecord) {
      await folder.addMetrics(record);
      const { step, loss, lr, gradientNorm, validation = {} } = record;
      for (const [tag, value] of Object.entries({ "loss/train": loss, lr, gradientNorm }))
        events.scalar(tag, value, step);
      for (const [name, value] of Object.entries(validation)) events.scalar(`${name}/validation`, value, step);
      events.flush();
    },
  };
}

/** The progress bar. */
export function progressMonitor(unit?: string): Monitor {
  let progress: Progress;
  let metric: string;
  return {
    start(info) {
      metric = info.metric;
      const shown = metric === "loss" ? "validation loss" : label(metric);
      progress = new Progress({
        ...info,
        metric: shown,
        unit: unitOf(metric, unit),
        stream: process.stderr,
      });
    },
    step: (info) => progress.step(info),
    epoch: ({ epoch, loss, validation, best }) => progress.epoch({ epoch, loss, metric: validation?.[metric], best }),
    finish: () => progress.finish(),
  };
}
