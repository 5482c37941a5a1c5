/** Colours for canvases, from the style sheet's custom properties, in the light or the dark scheme. */
export interface Theme {
  negative: string;
  positive: string;
  accent: string;
  text: string;
  muted: string;
  line: string;
  trainRing: string;
  testRing: string;
  /** Pixels for −1 … 1 as 0 … 255: through a neutral middle, and in two colours only. */
  continuous: Uint32Array;
  discrete: Uint32Array;
}

function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const [negative, neutral, positive] = ["negative", "neutral", "positive"].map((name) => channels(colour(name)));
  const continuous = Uint32Array.from({ length: 256 }, (_, i) =>
    i < 128 ? mix(negative, neutral, i / 127.5) : mix(neutral, positive, (i - 127.5) / 127.5),
  );
  return {
    negative: colour("negative"),
    positive: colour("positive"),
    accent: colour("accent"),
    text: colour("text"),
    muted: colour("muted"),
    line: colour("line"),
    trainRing: colour("train-ring"),
    testRing: colour("test-ring"),
    continuous,
    discrete: continuous.map((_, i) => (i < 128 ? continuous[40] : continuous[215])),
  };
}

type Rgb = [red: number, green: number, blue: number];

/** #rrggbb in numbers. */
const channels = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as Rgb;

/** A pixel between two colours, as ImageData stores it on little-endian machines (all that run browsers). */
function mix(a: Rgb, b: Rgb, share: number): number {
  const [red, green, blue] = a.map((v, i) => Math.round(v + (b[i] - v) * share));
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Calls `use` with the theme, now and whenever the scheme changes. Returns the way to stop that. */
export function withTheme(use: (theme: Theme) => void): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (): void => use(readTheme());
  dark.addEventListener("change", apply);
  apply();
  return () => dark.removeEventListener("change", apply);
}

/** Whether the person asked for less motion on the screen. */
export const reducedMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
