// Times the neighbour list from 10³ to 10⁵ atoms and fits the exponent of its growth: `node bench/neighbours.js [--threads N]`.
// A line of JSON for each size; then one for many small crystals, as they are featurised at the start of a training.
import { Command } from "commander";
import { init, Rng } from "spinel";
import { Lattice, neighbourList, Structure } from "spinel/data";

const program = new Command("neighbours").option("--threads <n>", "compute threads", Number, 1).parse();
const { threads } = program.opts();
await init({ threads });

/** Atoms at random, 0.07 in Å³, repeated in all directions. */
function gas(atoms) {
  const edge = (atoms / 0.07) ** (1 / 3);
  const fractional = Float64Array.from(new Rng(atoms).uniform([3 * atoms]).toArray());
  return new Structure({ numbers: new Int32Array(atoms).fill(1), fractional, lattice: Lattice.cubic(edge) });
}

/** Seconds, the best of some runs. */
function best(runs, body) {
  let least = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    body();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const round = (x) => Number(x.toPrecision(4));

const points = [];
for (const atoms of [1000, 3162, 10_000, 31_623, 100_000]) {
  const structure = gas(atoms);
  let edges = 0;
  const seconds = best(atoms < 20_000 ? 20 : 5, () => {
    edges = neighbourList(structure, { cutoff: 5 }).index.length;
  });
  points.push([Math.log(atoms), Math.log(seconds)]);
  print({ task: "neighbours", atoms, cutoff: 5, edges, threads, seconds: round(seconds) });
}

/** Least squares: time grows as atoms^exponent. */
const mean = [0, 1].map((k) => points.reduce((sum, p) => sum + p[k], 0) / points.length);
const covariance = points.reduce((sum, [x, y]) => sum + (x - mean[0]) * (y - mean[1]), 0);
const exponent = covariance / points.reduce((sum, [x]) => sum + (x - mean[0]) ** 2, 0);
print({ task: "neighbours", exponent: round(exponent) });

const crystals = Array.from({ length: 200 }, (_, k) => gas(10 + (k % 5)));
const options = { cutoff: 8, maxNeighbours: 12, shells: "whole" };
const seconds = best(10, () => {
  for (const crystal of crystals) neighbourList(crystal, options);
});
print({
  task: "neighbours of small crystals",
  atoms: 12,
  ...options,
  ms_each: round((1000 * seconds) / crystals.length),
});
