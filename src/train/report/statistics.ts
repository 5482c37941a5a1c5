/** What the report's figures show, computed from all rows; only what is drawn is thinned. */

/** `count` items or fewer: the first, the last and evenly spaced ones between, in order. */
export function thin<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  const stride = (items.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => items[Math.round(i * stride)]);
}

/** About `count` rows for a scatter plot: a tenth are the worst, so that no outlier is hidden, the others evenly spaced. */
export function thinScatter<T>(rows: readonly T[], error: (row: T) => number, count: number): T[] {
  if (rows.length <= count) return [...rows];
  const byError = rows.map((row, i) => ({ i, size: Math.abs(error(row)) })).sort((a, b) => b.size - a.size);
  const worst = Math.floor(count / 10);
  const kept = [...byError.slice(0, worst), ...thin(byError.slice(worst), count - worst)];
  return kept.sort((a, b) => a.i - b.i).map(({ i }) => rows[i]);
}

/** The value below which a share `q` of `sorted` lies, interpolated. NaN for none. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const next = Math.min(below + 1, sorted.length - 1);
  return sorted.length === 0 ? Number.NaN : sorted[below] + (place - below) * (sorted[next] - sorted[below]);
}

export interface Histogram {
  /** Bin k covers [start + k·width, start + (k + 1)·width). */
  start: number;
  width: number;
  counts: number[];
  /** Values outside all bins. */
  beyond: number;
}

/**
 * Bins of a round width with 0 on a border, about √n of them but at most 75, over the middle 99 % of the values or ten interquartile
 * ranges beyond the median, whichever is less: outliers must not squeeze all others into one bin. Values that are not finite are beyond.
 */
export function histogram(values: readonly number[]): Histogram {
  const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
  const most = 1.2 * Math.max(Math.abs(quantile(sorted, 0.005)), Math.abs(quantile(sorted, 0.995)));
  const usual = 10 * (quantile(sorted, 0.75) - quantile(sorted, 0.25));
  const reach = usual > 0 ? Math.min(most, usual + Math.abs(quantile(sorted, 0.5))) : most;
  const width = reach > 0 ? roundDown((2 * reach) / Math.max(5, Math.min(30, Math.sqrt(sorted.length)))) : 1;
  const first = Math.floor(Math.max(sorted[0], -reach) / width);
  const last = Math.floor(Math.min(sorted[sorted.length - 1], reach) / width);
  const counts = new Array<number>(sorted.length > 0 ? last - first + 1 : 0).fill(0);
  let beyond = values.length - sorted.length;
  for (const value of sorted) {
    const bin = Math.floor(value / width) - first;
    if (bin >= 0 && bin < counts.length) counts[bin]++;
    else beyond++;
  }
  return { start: first * width, width, counts, beyond };
}

/** The largest of 1, 2 and 5 times a power of ten that is not above x. */
function roundDown(x: number): number {
  const power = 10 ** Math.floor(Math.log10(x));
  return (x / power >= 5 ? 5 : x / power >= 2 ? 2 : 1) * power;
}

export interface GroupError<Key> {
  key: Key;
  /** Rows of the group. */
  count: number;
  /** Their mean error. */
  mean: number;
}

/** The mean of `error` over the rows of each group, in the order of the keys. A row counts once for each of its keys. */
export function errorByGroup<Key extends string | number, Row>(
  rows: readonly Row[],
  error: (row: Row) => number,
  keys: (row: Row) => Iterable<Key>,
): GroupError<Key>[] {
  const sums = new Map<Key, { count: number; sum: number }>();
  for (const row of rows) {
    for (const key of new Set(keys(row))) {
      const entry = sums.get(key) ?? { count: 0, sum: 0 };
      entry.count++;
      entry.sum += error(row);
      sums.set(key, entry);
    }
  }
  const entries = [...sums].map(([key, { count, sum }]) => ({ key, count, mean: sum / count }));
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The receiver operating characteristic: as the threshold falls from +∞, the shares of false [x] and true [y] positives. */
export function rocCurve(scores: readonly number[], positive: readonly boolean[]): { x: number; y: number }[] {
  const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
  const total = positive.filter(Boolean).length;
  const points = [{ x: 0, y: 0 }];
  let hits = 0;
  order.forEach((row, i) => {
    if (positive[row]) hits++;
    // Equal scores pass the threshold together.
    if (i + 1 < order.length && scores[order[i + 1]] === scores[row]) return;
    points.push({ x: (i + 1 - hits) / (order.length - total), y: hits / total });
  });
  return points;
}
