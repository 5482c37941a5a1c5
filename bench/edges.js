// How the time of a CGCNN training step grows with the edges of its batch, 10³ to 10⁶: `node bench/edges.js [--threads N]`.
// A line of JSON for each size, then the exponent of a least-squares fit; 1 is linear.
import { Command } from "commander";
import { capabilities, init } from "spinel";
import { cgcnnStep } from "./tasks.js";

const { threads } = new Command("edges").option("--threads <n>", "compute threads", Number, 1).parse().opts();
await init({ threads });
const { variant } = capabilities();
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const points = [];
for (const crystals of [4, 13, 42, 132, 417, 1318, 4167]) {
  const step = cgcnnStep(crystals);
  const edges = 240 * crystals;
  for (let warm = 0; warm < 2; warm++) step();
  const times = [];
  for (let start = performance.now(); times.length < 3 || performance.now() - start < 2000; ) {
    const begin = performance.now();
    step();
    times.push(performance.now() - begin);
  }
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  points.push([Math.log(edges), Math.log(median)]);
  print({ task: "cgcnn", edges, threads, variant, median_ms: Number(median.toPrecision(4)) });
}
const mean = (k) => points.reduce((sum, p) => sum + p[k], 0) / points.length;
const [mx, my] = [mean(0), mean(1)];
const exponent =
  points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
print({ task: "cgcnn", exponent: Number(exponent.toPrecision(3)) });
