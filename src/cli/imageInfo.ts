import { readImages } from "../data/images.ts";

/** What a set of images holds: sizes, channels, classes, and what of it cannot be read. */
export async function imageInfo(file: string): Promise<Record<string, unknown>> {
  const { images = [], targets, classes, dropped } = await readImages(file, { skipBad: true });
  const sizes = counted(images.map(({ height, width }) => (height === 1 ? `${width} points` : `${height} × ${width}`)));
  const signals = images.length > 0 && images.every(({ height }) => height === 1);
  const labels = classes && targets ? counted([...targets.values].map((k) => classes[k])) : undefined;
  return {
    file,
    kind: signals ? "signals" : "images",
    rows: images.length,
    [signals ? "lengths" : "sizes, height × width"]: shortened(sizes),
    channels: counted(images.map(({ channels }) => String(channels))),
    target: targets?.names.join(", "),
    ...(labels && classes
      ? { classes: classes.map((name) => ({ name, rows: labels[name] ?? 0 })) }
      : targets && { range: rangeOf(targets.values) }),
    "cannot be read": dropped.map(({ reason }) => reason),
  };
}

/** The most frequent first. */
function counted(values: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1]));
}

function shortened(counts: Record<string, number>): Record<string, number> {
  const all = Object.entries(counts);
  if (all.length <= 10) return counts;
  const others = all.slice(10).reduce((sum, [, n]) => sum + n, 0);
  return { ...Object.fromEntries(all.slice(0, 10)), [`${all.length - 10} others`]: others };
}

const rangeOf = (values: Float64Array): string =>
  `${values.reduce((a, b) => Math.min(a, b))} … ${values.reduce((a, b) => Math.max(a, b))}`;
