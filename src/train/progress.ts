/** Where progress goes; `process.stderr` is one. */
export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  epochs: number;
  stepsPerEpoch: number;
  stream: ProgressStream;
  /** Epochs that an earlier process has done. */
  done?: number;
  /** The metric by which the best epoch is chosen. */
  metric?: string;
  unit?: string;
  quiet?: boolean;
  /** By default on a terminal, unless the environment sets NO_COLOR. */
  color?: boolean;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
}

/** Terminals are redrawn at most this often; logs get a line at most, and in long epochs at least, this often. Milliseconds. */
const REDRAW = 100;
const LINE = 2_000;
const SIGN_OF_LIFE = 30_000;

const BAR = { longest: 30, shortest: 8 };

/**
 * Shows how training goes: on a terminal one line that is redrawn in place, in a log (not a terminal, or TERM=dumb) plain lines,
 * when quiet nothing. What does not fit into a narrow terminal is left out, the least important first.
 */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #live: boolean;
  readonly #color: boolean;
  readonly #start: number;
  #drawn: number;
  #shown = false;
  #pending = false;
  #finished = false;

  #epoch: number;
  #share = 0;
  #loss = Number.NaN;
  #metric: number | undefined;
  #best: number | undefined;
  #isBest = false;
  #validated = false;
  #epochStart: number;
  #samples = 0;
  #rate: number | undefined;

  constructor(options: ProgressOptions) {
    const env = globalThis.process?.env ?? {};
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#live = options.stream.isTTY === true && env.TERM !== "dumb";
    this.#color = options.color ?? (this.#live && !env.NO_COLOR);
    this.#start = this.#drawn = this.#epochStart = this.#now();
    this.#epoch = options.done ?? 0;
  }

  /** After optimizer step `step` = 1, 2, … of `epoch` = 1, 2, …, which took `samples` samples. */
  step({ epoch, step, loss, samples }: { epoch: number; step: number; loss: number; samples: number }): void {
    this.#epoch = epoch;
    this.#share = step / this.#options.stepsPerEpoch;
    this.#loss = loss;
    this.#samples += samples;
    const elapsed = this.#now() - this.#epochStart;
    if (elapsed > 0) this.#rate = (1000 * this.#samples) / elapsed;
    this.#validated = false;
    if (this.#live) this.#draw(this.#shown ? REDRAW : 0);
    else this.#draw(step < this.#options.stepsPerEpoch ? SIGN_OF_LIFE : Number.POSITIVE_INFINITY);
  }

  /** After an epoch and its validation; `best` says that no epoch before was better. */
  epoch({ epoch, loss, metric, best = false }: { epoch: number; loss: number; metric?: number; best?: boolean }): void {
    this.#epoch = epoch;
    this.#share = 1;
    this.#loss = loss;
    this.#metric = metric;
    this.#validated = true;
    this.#isBest = best;
    if (best) this.#best = metric;
    // A slow epoch is always shown, and so is the first.
    const slow = this.#now() - this.#epochStart >= (this.#live ? REDRAW : LINE);
    this.#draw(slow || !this.#shown ? 0 : this.#live ? REDRAW : LINE);
    this.#epochStart = this.#now();
    this.#samples = 0;
  }

  /** A line of text that stays, above the bar. */
  note(text: string): void {
    const { quiet, stream } = this.#options;
    if (quiet) return;
    stream.write(`${this.#live ? "\r\x1b[K" : ""}${text}\n`);
    if (this.#live && this.#shown) this.#write();
  }

  /** Leaves the last state on the screen, with the time taken in place of the time expected. */
  finish(): void {
    this.#finished = true;
    if (this.#pending || (this.#live && this.#shown)) this.#write();
    if (this.#live && this.#shown) this.#options.stream.write("\n");
  }

  #draw(interval: number): void {
    if (this.#options.quiet) return;
    this.#pending = true;
    if (this.#now() - this.#drawn >= interval) this.#write();
  }

  #write(): void {
    const { stream } = this.#options;
    this.#pending = false;
    this.#shown = true;
    this.#drawn = this.#now();
    if (this.#live) stream.write(`\r${this.#line((stream.columns || 80) - 1)}\x1b[K`);
    else stream.write(`${this.#line(Number.POSITIVE_INFINITY)}\n`);
  }

  #line(columns: number): string {
    const { epochs, done = 0 } = this.#options;
    const [metric, unit] = [this.#options.metric ?? "metric", this.#options.unit].map((s) =>
      s?.replace(/\p{Cc}/gu, ""),
    );
    const position = this.#epoch - 1 + this.#share;
    const share = Math.min(1, Math.max(0, position / epochs));
    const parts = new Map<string, Part>();
    const inEpoch = this.#live || this.#validated ? "" : ` (${Math.floor(100 * this.#share)} %)`;
    parts.set("epoch", { text: `epoch ${String(this.#epoch).padStart(String(epochs).length)}/${epochs}${inEpoch}` });
    parts.set("loss", { text: `loss ${formatNumber(this.#loss)}` });
    if (this.#metric !== undefined) {
      const value = `${metric} ${formatNumber(this.#metric)}${unit ? ` ${unit}` : ""}`;
      if (this.#isBest) parts.set("metric", { text: `${value} best`, style: GREEN });
      else parts.set("metric", { text: value });
      if (this.#best !== undefined && !this.#isBest) parts.set("best", { text: `best ${formatNumber(this.#best)}` });
    }
    if (this.#rate !== undefined) parts.set("rate", { text: `${formatCount(this.#rate)} samples/s`, style: DIM });
    const elapsed = (this.#now() - this.#start) / 1000;
    if (this.#finished || (this.#validated && position >= epochs))
      parts.set("eta", { text: `in ${formatDuration(elapsed)}` });
    else if (position > done && position < epochs && elapsed >= 1) {
      parts.set("eta", { text: `ETA ${formatDuration((elapsed * (epochs - position)) / (position - done))}` });
    }

    const width = () => [...parts.values()].reduce((sum, { text }) => sum + displayWidth(text) + 2, -2);
    for (const name of ["rate", "best", "eta", "metric"]) if (width() > columns) parts.delete(name);
    if (width() > columns) return cut([...parts.values()].map(({ text }) => text).join("  "), columns);
    const line = [...parts.values()].map(({ text, style }) => this.#paint(text, style));
    const room = Math.min(BAR.longest, columns - width() - 2);
    if (this.#live && room >= BAR.shortest) {
      const filled = Math.round(room * share);
      line.splice(1, 0, this.#paint("━".repeat(filled), GREEN) + this.#paint("─".repeat(room - filled), DIM));
    }
    return line.join("  ");
  }

  #paint(text: string, style: string | undefined): string {
    return this.#color && style && text !== "" ? `${style}${text}\x1b[0m` : text;
  }
}

interface Part {
  text: string;
  style?: string;
}

const GREEN = "\x1b[32m";
const DIM = "\x1b[2m";

/** Four significant digits: 0.01234, 12.35, 1.235e-7. */
export function formatNumber(x: number): string {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  const magnitude = Math.abs(x);
  if (magnitude < 1e-3 || magnitude >= 1e6) return x.toExponential(3);
  return magnitude >= 1000 ? x.toFixed(0) : x.toPrecision(4);
}

/** 950, 12.3k, 4.56M. */
export function formatCount(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  for (const [limit, suffix] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (x >= 0.9995 * limit) return `${(x / limit).toPrecision(3)}${suffix}`;
  }
  return x >= 99.95 ? x.toFixed(0) : String(Number(x.toPrecision(3)));
}

/** Seconds as 0.4 s, 42 s, 3:07, 2:05:09 or 3 d 4 h. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "?";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  const two = (n: number) => String(n).padStart(2, "0");
  const [days, hours, minutes] = [Math.floor(total / 86400), Math.floor(total / 3600), Math.floor(total / 60) % 60];
  if (days > 0) return `${days} d ${hours % 24} h`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

/** Terminal columns of a text without escape sequences: none for combining marks, two for East Asian and emoji. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (/[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u.test(character)) return 0;
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]/u.test(
    character,
  )
    ? 2
    : 1;
}

function cut(text: string, columns: number): string {
  let width = 0;
  let out = "";
  for (const character of text) {
    width += characterWidth(character);
    if (width > columns) break;
    out += character;
  }
  return out;
}
