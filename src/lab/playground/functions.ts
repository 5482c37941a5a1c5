import { Rng } from "../../core/random.ts";
import type { Control } from "../../worker/index.ts";
import { Classifier, featureMaps, type Snapshot } from "./classifier.ts";
import { type Config, DATASETS, LIVE } from "./config.ts";
import { generate, type Points } from "./data.ts";

/** A classifier's picture at one moment. `revision` is that of the configuration it belongs to. */
export interface Picture extends Snapshot {
  revision: number;
}

/** Milliseconds that an epoch takes at least. */
const PACE: Record<Config["speed"], number> = { slow: 200, normal: 1000 / 60, full: 0 };

let current: { classifier: Classifier; config: Config; revision: number } | undefined;

/** The classifier at work, or an error for a page that asks before it has configured one. */
function theCurrent(): NonNullable<typeof current> {
  if (!current) throw new Error("The playground is not configured yet.");
  return current;
}

function picture(): Picture {
  const { classifier, revision } = theCurrent();
  return { ...classifier.snapshot(), revision };
}

const buffersOf = ({ maps }: Picture): ArrayBuffer[] => maps.flat().map((map) => map.buffer);

/** What the page may ask of the Worker. One classifier lives here; `train` goes on with whichever is configured. */
export const functions = {
  /** A few points of each data set, and what each input looks like over the plane. */
  scenery: (): { samples: Points[]; features: Uint8Array[] } => ({
    samples: DATASETS.map((dataset) => generate(dataset, { count: 160, noise: 0, rng: new Rng(1) })),
    features: featureMaps(),
  }),

  /** Takes over the controls' values: a running network is tuned where that is enough, else (or by `fresh`) a new one begins. */
  configure({ config, revision, fresh }: { config: Config; revision: number; fresh: boolean }): {
    points: Classifier["points"];
    picture: Picture;
  } {
    const before = current;
    const same = (key: keyof Config): boolean => String(before?.config[key]) === String(config[key]);
    const keep = !fresh && (Object.keys(config) as (keyof Config)[]).every((key) => LIVE.includes(key) || same(key));
    if (before && keep) {
      before.classifier.tune(config);
      current = { ...before, config, revision };
    } else {
      before?.classifier.dispose();
      current = { classifier: new Classifier(config), config, revision };
    }
    return { points: theCurrent().classifier.points, picture: picture() };
  },

  look: (): Picture => picture(),

  step(): Picture {
    theCurrent().classifier.runEpoch();
    return picture();
  },

  /** Trains until stopped, or until the numbers overflow (the last picture's losses are then not finite). */
  async train(_: undefined, control: Control<Picture>): Promise<Picture> {
    let due = performance.now();
    while (await control.proceed()) {
      const { classifier, config } = theCurrent();
      classifier.runEpoch();
      if (control.ready) {
        const report = picture();
        if (!Number.isFinite(report.trainLoss)) break;
        control.report(report, { transfer: buffersOf(report) });
      }
      due = Math.max(due + PACE[config.speed], performance.now() - 50);
      const wait = due - performance.now();
      if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    }
    return picture();
  },
};
