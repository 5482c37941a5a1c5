import { UserError } from "../core/errors.ts";
import { cosPi, pow } from "../core/portable.ts";

/**
 * Learning-rate schedules with PyTorch's names, defaults and values, in closed form.
 * A schedule is a pure function of the step, so resuming needs no state; only ReduceLrOnPlateau, which looks at results, has some.
 * What a step is (an optimizer step or an epoch) is the caller's choice; `schedule` settles it for configurations.
 */
export type Schedule = (step: number) => number;

/** The learning rate stays `lr`. */
export function constant({ lr }: { lr: number }): Schedule {
  check("constant", { lr });
  return () => lr;
}

/** lr · gamma^⌊i / stepSize⌋ */
export function stepLr({ lr, stepSize, gamma = 0.1 }: { lr: number; stepSize: number; gamma?: number }): Schedule {
  check("step", { lr, stepSize, gamma });
  return (i) => lr * pow(gamma, Math.floor(i / stepSize));
}

/** lr · gamma^(milestones reached); at i = milestone the rate has dropped. */
export function multiStepLr(options: { lr: number; milestones: readonly number[]; gamma?: number }): Schedule {
  const { lr, milestones, gamma = 0.1 } = options;
  check("multiStep", { lr, milestones, gamma });
  return (i) => lr * pow(gamma, milestones.filter((milestone) => milestone <= i).length);
}

/** lr · gammaⁱ */
export function exponentialLr({ lr, gamma }: { lr: number; gamma: number }): Schedule {
  check("exponential", { lr, gamma });
  return (i) => lr * pow(gamma, i);
}

/** Half a cosine from `lr` down to `etaMin` over `tMax` steps; after that it rises again, as in PyTorch. */
export function cosineAnnealingLr({ lr, tMax, etaMin = 0 }: { lr: number; tMax: number; etaMin?: number }): Schedule {
  check("cosineAnnealing", { lr, tMax, etaMin });
  return (i) => cosine(lr, etaMin, i / tMax);
}

export interface OneCycleOptions {
  /** Steps from first to last; afterwards the last value is kept. */
  totalSteps: number;
  /** Share of the steps in which the rate rises. */
  pctStart?: number;
}

/**
 * maxLr/divFactor → maxLr → maxLr/(divFactor·finalDivFactor), both ways along half a cosine.
 * @see Smith & Topin, "Super-convergence", 2019
 */
export function oneCycleLr(
  options: OneCycleOptions & { maxLr: number; divFactor?: number; finalDivFactor?: number },
): Schedule {
  const { maxLr, totalSteps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options;
  check("oneCycle", { maxLr, totalSteps, pctStart, divFactor, finalDivFactor });
  const initial = maxLr / divFactor;
  return riseAndFall(initial, maxLr, initial / finalDivFactor, totalSteps, pctStart);
}

/** The momentum that goes with oneCycleLr: maxMomentum → baseMomentum → maxMomentum, low while the rate is high. */
export function oneCycleMomentum(options: OneCycleOptions & { baseMomentum?: number; maxMomentum?: number }): Schedule {
  const { totalSteps, pctStart = 0.3, baseMomentum = 0.85, maxMomentum = 0.95 } = options;
  check("oneCycle", { totalSteps, pctStart, baseMomentum, maxMomentum });
  return riseAndFall(maxMomentum, baseMomentum, maxMomentum, totalSteps, pctStart);
}

/** Triangles: baseLr → maxLr in `stepSizeUp` steps, back in `stepSizeDown` (by default as many), for ever. */
export function cyclicLr(options: {
  baseLr: number;
  maxLr: number;
  stepSizeUp?: number;
  stepSizeDown?: number;
}): Schedule {
  const { baseLr, maxLr, stepSizeUp = 2000, stepSizeDown = stepSizeUp } = options;
  check("cyclic", { baseLr, maxLr, stepSizeUp, stepSizeDown });
  const period = stepSizeUp + stepSizeDown;
  return (i) => {
    const place = i % period;
    const height = place <= stepSizeUp ? place / stepSizeUp : (period - place) / stepSizeDown;
    return baseLr + (maxLr - baseLr) * height;
  };
}

/** A straight line from lr·startFactor to lr·endFactor over `totalIters` steps, then constant. */
export function linearLr(options: {
  lr: number;
  startFactor?: number;
  endFactor?: number;
  totalIters?: number;
}): Schedule {
  const { lr, startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
  check("linear", { lr, startFactor, endFactor, totalIters });
  return (i) => lr * (startFactor + ((endFactor - startFactor) * Math.min(i, totalIters)) / totalIters);
}

/** lr · (1 − i/totalIters)^power, and 0 from `totalIters` on. */
export function polynomialLr(options: { lr: number; totalIters?: number; power?: number }): Schedule {
  const { lr, totalIters = 5, power = 1 } = options;
  check("polynomial", { lr, totalIters, power });
  return (i) => lr * pow(1 - Math.min(i, totalIters) / totalIters, power);
}

/** `inner` times (i + 1)/(steps + 1) during the first `steps` steps: a linear rise that never spends a step at rate 0. */
export function warmUp(inner: Schedule, { steps }: { steps: number }): Schedule {
  check("common", { warmUpSteps: steps });
  return (i) => inner(i) * Math.min(1, (i + 1) / (steps + 1));
}

export interface PlateauOptions {
  lr: number;
  /** "min" for losses and errors, "max" for accuracies. */
  mode?: "min" | "max";
  factor?: number;
  /** Bad epochs that are tolerated; the next one reduces the rate. */
  patience?: number;
  /** Relative improvement that counts as one. */
  threshold?: number;
  /** Epochs after a reduction in which bad ones do not count. */
  cooldown?: number;
  minLr?: number;
}

export interface PlateauState {
  lr: number;
  /** null before the first result: JSON has no infinity. */
  best: number | null;
  bad: number;
  cooling: number;
}

/** Multiplies the rate by `factor` when a metric has not improved for more than `patience` epochs. A NaN is a bad epoch. */
export class ReduceLrOnPlateau {
  readonly #options: Required<PlateauOptions>;
  #state: PlateauState;

  constructor(options: PlateauOptions) {
    const { lr, mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, minLr = 0 } = options;
    this.#options = { lr, mode, factor, patience, threshold, cooldown, minLr };
    check("reduceOnPlateau", this.#options);
    this.#state = { lr, best: null, bad: 0, cooling: 0 };
  }

  get lr(): number {
    return this.#state.lr;
  }

  /** Takes an epoch's metric, returns the rate for the next epoch. */
  step(metric: number): number {
    const { factor, patience, cooldown, minLr } = this.#options;
    const state = this.#state;
    if (this.#better(metric)) {
      state.best = metric;
      state.bad = 0;
    } else state.bad++;
    if (state.cooling > 0) {
      state.cooling--;
      state.bad = 0;
    }
    if (state.bad > patience) {
      const lr = Math.max(state.lr * factor, minLr);
      if (state.lr - lr > 1e-8) state.lr = lr;
      state.cooling = cooldown;
      state.bad = 0;
    }
    return state.lr;
  }

  toJSON(): PlateauState {
    return { ...this.#state };
  }

  /** Takes up what `toJSON` returned: the next steps are the same to the bit. */
  load(state: PlateauState): void {
    const { lr, best, bad, cooling } = state;
    this.#state = { lr, best, bad, cooling };
  }

  #better(metric: number): boolean {
    const { mode, threshold } = this.#options;
    const best = this.#state.best;
    if (mode === "min") return metric < (best ?? Infinity) * (1 - threshold);
    return metric > (best ?? -Infinity) * (1 + threshold);
  }
}

/** What each name of a configuration builds. */
const BUILDERS = {
  constant,
  step: stepLr,
  multiStep: multiStepLr,
  exponential: exponentialLr,
  cosineAnnealing: cosineAnnealingLr,
  oneCycle: oneCycleLr,
  cyclic: cyclicLr,
  linear: linearLr,
  polynomial: polynomialLr,
};

type Builders = typeof BUILDERS;

/**
 * What a configuration file or `--schedule '{…}'` may say: a name and its builder's options. Left out, `lr` and `maxLr` are the
 * run's learning rate, `mode` the run's, and `tMax`, `totalSteps` and `totalIters` the length of the run.
 */
export type ScheduleConfig = {
  /** What stepSize, tMax, … count: by default epochs, but optimizer steps for oneCycle and cyclic. */
  unit?: "step" | "epoch";
  /** Length of a linear warm-up, in optimizer steps. */
  warmUpSteps?: number;
} & (
  | { [Name in keyof Builders]: { name: Name } & Partial<Parameters<Builders[Name]>[0]> }[keyof Builders]
  | ({ name: "oneCycle"; cycleMomentum?: boolean } & Partial<Parameters<typeof oneCycleMomentum>[0]>)
  | ({ name: "reduceOnPlateau" } & Partial<PlateauOptions>)
);

export interface RunLength {
  lr: number;
  epochs: number;
  stepsPerEpoch: number;
  /** Which way the watched metric gets better: reduceOnPlateau's default. */
  mode?: "min" | "max";
}

/** The learning rate of each optimizer step, and what belongs to it where the configuration asks for it. */
export interface LearningPlan {
  lr: Schedule;
  /** Momentum (Adam: β₁) of each optimizer step. */
  momentum?: Schedule;
  /** To be given each epoch's validation metric, saved and loaded; `lr` follows it. */
  plateau?: ReduceLrOnPlateau;
}

/** Reads a schedule: an object, its JSON text, or a bare name such as "cosineAnnealing". */
export function schedule(config: ScheduleConfig | string, run: RunLength): LearningPlan {
  const { name, unit, warmUpSteps = 0, cycleMomentum = false, ...given } = parse(config);
  const perStep = unit === undefined ? name === "oneCycle" || name === "cyclic" : unit === "step";
  const length = run.epochs * (perStep ? run.stepsPerEpoch : 1);
  const { mode } = run;
  const fallback: Fields = { lr: run.lr, maxLr: run.lr, tMax: length, totalSteps: length, totalIters: length, mode };
  const fields: Fields = { ...given };
  for (const [field, kind] of Object.entries(FIELDS[name])) {
    const value = given[field] ?? fallback[field];
    if (value !== undefined) fields[field] = value;
    else if (kind.required) throw new UserError(`Schedule "${name}" needs ${field}: ${kind.says}.`);
  }
  check(name, fields);
  check("common", { unit, warmUpSteps, cycleMomentum });

  const inSteps = (inner: Schedule): Schedule => (perStep ? inner : (i) => inner(Math.floor(i / run.stepsPerEpoch)));
  const warm = (inner: Schedule): Schedule => (warmUpSteps > 0 ? warmUp(inner, { steps: warmUpSteps }) : inner);
  if (name === "reduceOnPlateau") {
    const plateau = new ReduceLrOnPlateau(fields as unknown as PlateauOptions);
    return { lr: warm(() => plateau.lr), plateau };
  }
  const lr = warm(inSteps(BUILDERS[name](fields as never)));
  return cycleMomentum ? { lr, momentum: inSteps(oneCycleMomentum(fields as never)) } : { lr };
}

type Fields = Record<string, unknown>;
type Parsed = Fields & Pick<ScheduleConfig, "name" | "unit" | "warmUpSteps"> & { cycleMomentum?: boolean };

function parse(config: ScheduleConfig | string): Parsed {
  let value: unknown = config;
  if (typeof config === "string") {
    try {
      value = config.trim().startsWith("{") ? JSON.parse(config) : { name: config.trim() };
    } catch (error) {
      throw new UserError(`The schedule ${config} is not valid JSON: ${(error as Error).message}`, EXAMPLE);
    }
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(`A schedule is a name or an object with a name, not ${JSON.stringify(value)}.`, EXAMPLE);
  }
  const parsed = value as Parsed;
  const names = [...Object.keys(BUILDERS), "reduceOnPlateau"];
  if (!names.includes(parsed.name)) {
    const wrong = parsed.name === undefined ? "The schedule has no name" : `There is no schedule "${parsed.name}"`;
    throw new UserError(`${wrong}; the names are ${names.join(", ")}.`);
  }
  const known = ["name", "unit", "warmUpSteps", ...Object.keys(FIELDS[parsed.name])];
  if (parsed.name === "oneCycle") known.push("cycleMomentum");
  const unknown = Object.keys(parsed).find((field) => !known.includes(field));
  if (unknown !== undefined) {
    throw new UserError(`Schedule "${parsed.name}" has no field "${unknown}"; it has ${known.slice(1).join(", ")}.`);
  }
  return parsed;
}

const EXAMPLE = `Examples: "cosineAnnealing", or {"name": "oneCycle", "maxLr": 0.01}.`;

interface Kind {
  fits(x: unknown): boolean;
  says: string;
  required?: boolean;
}

const isNumber = (x: unknown): x is number => typeof x === "number" && Number.isFinite(x);
const isWhole = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
const positive: Kind = { fits: (x) => isNumber(x) && x > 0, says: "a number above 0" };
const notNegative: Kind = { fits: (x) => isNumber(x) && x >= 0, says: "a number of at least 0" };
const share: Kind = { fits: (x) => isNumber(x) && x >= 0 && x <= 1, says: "a number from 0 to 1" };
const whole: Kind = { fits: isWhole, says: "a whole number of at least 0" };
const count: Kind = { fits: (x) => isWhole(x) && x > 0, says: "a whole number of at least 1" };
const counts: Kind = {
  fits: (x) => Array.isArray(x) && x.every(count.fits),
  says: "a list of whole numbers of at least 1",
};
const flag: Kind = { fits: (x) => typeof x === "boolean", says: "true or false" };
const oneOf = (...words: string[]): Kind => ({
  fits: (x) => words.includes(x as string),
  says: words.map((word) => `"${word}"`).join(" or "),
});

/** Every field of every schedule: the one table behind the checks, the parser and their messages. */
const FIELDS = {
  constant: { lr: notNegative },
  step: { lr: notNegative, stepSize: { ...count, required: true }, gamma: positive },
  multiStep: { lr: notNegative, milestones: { ...counts, required: true }, gamma: positive },
  exponential: { lr: notNegative, gamma: { ...positive, required: true } },
  cosineAnnealing: { lr: notNegative, tMax: count, etaMin: notNegative },
  oneCycle: {
    maxLr: positive,
    totalSteps: count,
    pctStart: share,
    divFactor: positive,
    finalDivFactor: positive,
    baseMomentum: share,
    maxMomentum: share,
  },
  cyclic: { baseLr: { ...notNegative, required: true }, maxLr: notNegative, stepSizeUp: count, stepSizeDown: count },
  linear: { lr: notNegative, startFactor: notNegative, endFactor: notNegative, totalIters: count },
  polynomial: { lr: notNegative, totalIters: count, power: positive },
  reduceOnPlateau: {
    lr: notNegative,
    mode: oneOf("min", "max"),
    factor: share,
    patience: whole,
    threshold: notNegative,
    cooldown: whole,
    minLr: notNegative,
  },
  common: { unit: oneOf("step", "epoch"), warmUpSteps: whole, cycleMomentum: flag },
} satisfies Record<string, Record<string, Kind>>;

function check(name: keyof typeof FIELDS, values: object): void {
  const kinds: Record<string, Kind> = FIELDS[name];
  for (const [field, value] of Object.entries(values)) {
    if (value === undefined || kinds[field]?.fits(value)) continue;
    const title = name === "common" ? "Schedule" : `Schedule "${name}"`;
    throw new UserError(`${title}: ${field} must be ${kinds[field]?.says}, not ${JSON.stringify(value) ?? value}.`);
  }
}

function riseAndFall(start: number, peak: number, end: number, totalSteps: number, pctStart: number): Schedule {
  // As in PyTorch, the border between the phases need not be a whole step.
  const top = pctStart * totalSteps - 1;
  const last = totalSteps - 1;
  return (i) => {
    if (i <= top) return cosine(start, peak, top === 0 ? 1 : i / top);
    return cosine(peak, end, last === top ? 1 : Math.min(1, (i - top) / (last - top)));
  };
}

/** Half a cosine from `a` at t = 0 to `b` at t = 1. */
function cosine(a: number, b: number, t: number): number {
  return b + ((a - b) * (1 + cosPi(t))) / 2;
}
