/**
 * k-fold cross-validation with scikit-learn's own draws: the same folds as `KFold` and `StratifiedKFold` (≥ 1.0), index by index,
 * so that results stand beside published ones. Test indices, and hence training indices, come in ascending order.
 */

import { UserError } from "../core/errors.ts";
import { RandomState } from "../core/mt19937.ts";

export interface Fold {
  train: Int32Array;
  test: Int32Array;
}

export interface FoldOptions {
  /** Shuffle before folding; `seed` is scikit-learn's `random_state`. Without it folds are consecutive. */
  shuffle?: { seed: number };
}

export interface StratifiedFoldOptions extends FoldOptions {
  /** Told when a class is too small to be in every test fold. Default: `console.warn`. */
  warn?: (message: string) => void;
}

/** n samples → k folds; the first n mod k test folds hold one sample more. */
export function kFold(n: number, k: number, { shuffle }: FoldOptions = {}): Fold[] {
  check("kFold", n, k);
  const order = shuffle ? new RandomState(shuffle.seed).permutation(n) : Int32Array.from({ length: n }, (_, i) => i);
  const foldOf = new Int32Array(n);
  let start = 0;
  for (let fold = 0; fold < k; fold++) {
    const end = start + Math.floor(n / k) + (fold < n % k ? 1 : 0);
    for (let i = start; i < end; i++) foldOf[order[i]] = fold;
    start = end;
  }
  return split(foldOf, k);
}

/** As `kFold`, with each class spread evenly over the test folds. `labels` [n] may be numbers, strings or booleans. */
export function stratifiedKFold(
  labels: ArrayLike<number | string | boolean>,
  k: number,
  { shuffle, warn = console.warn }: StratifiedFoldOptions = {},
): Fold[] {
  const n = labels.length;
  check("stratifiedKFold", n, k);
  const { classOf, sizes, names } = encode(labels);
  let [smallest, largest] = [0, 0];
  sizes.forEach((size, c) => {
    if (size < sizes[smallest]) smallest = c;
    if (size > sizes[largest]) largest = c;
  });
  if (sizes[largest] < k)
    throw new UserError(
      `stratifiedKFold: ${k} folds, but no class has ${k} members (the largest has ${sizes[largest]} of ${n}).`,
      "If these are the targets of a regression, use kFold; for classes, use fewer folds.",
    );
  if (sizes[smallest] < k)
    warn(
      `stratifiedKFold: class ${JSON.stringify(names[smallest])} has ${sizes[smallest]} members, fewer than the ${k} folds: some test folds go without it.`,
    );

  // Walking the samples sorted by class and dealing them out in turn gives each fold its share of every class …
  const rng = shuffle && new RandomState(shuffle.seed);
  const foldsOfClass: Int32Array[] = [];
  let before = 0;
  for (const size of sizes) {
    const share = new Int32Array(k);
    for (let i = before; i < before + size; i++) share[i % k]++;
    before += size;
    const folds = new Int32Array(size);
    for (let fold = 0, i = 0; fold < k; fold++) folds.fill(fold, i, (i += share[fold]));
    // … and one generator shuffles the classes' shares one after the other, in the order in which the classes first occur.
    rng?.shuffle(folds);
    foldsOfClass.push(folds);
  }
  const taken = new Int32Array(sizes.length);
  return split(
    classOf.map((c) => foldsOfClass[c][taken[c]++]),
    k,
  );
}

const MATBENCH_FOLDS = 5;
const MATBENCH_SEED = 18012019;

/**
 * The five official folds of a Matbench v0.1 task, whose rows must stand in the official order.
 *
 * @param targets  the targets [n]; a regression's folds depend on their number alone
 * @see Dunn et al., npj Comput. Mater. 6, 138 (2020)
 */
export function matbenchFolds(
  targets: ArrayLike<number | string | boolean>,
  task: "regression" | "classification",
): Fold[] {
  const shuffle = { seed: MATBENCH_SEED };
  return task === "classification"
    ? stratifiedKFold(targets, MATBENCH_FOLDS, { shuffle })
    : kFold(targets.length, MATBENCH_FOLDS, { shuffle });
}

function check(call: string, n: number, k: number): void {
  if (!Number.isInteger(n) || n < 0) throw new UserError(`${call}: the number of samples is ${n}, not a whole number.`);
  if (!Number.isInteger(k) || k < 2)
    throw new UserError(`${call}: ${k} folds; cross-validation needs a whole number of folds, at least 2.`);
  if (k > n)
    throw new UserError(
      `${call}: ${k} folds of ${n} samples: every fold needs one to test on.`,
      `Use at most ${n} folds.`,
    );
}

/** Classes numbered by first occurrence. */
function encode(labels: ArrayLike<number | string | boolean>) {
  const classes = new Map<number | string | boolean, number>();
  const sizes: number[] = [];
  const classOf = new Int32Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    let c = classes.get(labels[i]);
    if (c === undefined) classes.set(labels[i], (c = sizes.push(0) - 1));
    sizes[c]++;
    classOf[i] = c;
  }
  return { classOf, sizes, names: [...classes.keys()] };
}

/** The fold that tests each sample [n] → k folds. */
function split(foldOf: Int32Array, k: number): Fold[] {
  const all = Int32Array.from({ length: foldOf.length }, (_, i) => i);
  return Array.from({ length: k }, (_, fold) => ({
    train: all.filter((i) => foldOf[i] !== fold),
    test: all.filter((i) => foldOf[i] === fold),
  }));
}
