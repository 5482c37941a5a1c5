// How the time of a training step grows with the edges of its graph, 10³ to 10⁶: `node bench/edges.js [cgcnn|schnet|gcn] [--threads N]
// [--plot FILE.svg]`. A line of JSON for each size, with the memory that WebAssembly has taken; then the exponent of a least-squares
// fit; 1 is linear.
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { capabilities, init } from "spinel";
import { cgcnnStep, gcnStep, schnetStep } from "./tasks.js";

const STEPS = { cgcnn: cgcnnStep, schnet: schnetStep, gcn: gcnStep };

const program = new Command("edges")
  .argument("[task]", `any of ${Object.keys(STEPS).join(", ")}`, "cgcnn")
  .option("--threads <n>", "compute threads", Number, 1)
  .option("--plot <file>", "draw the points and the fit, as SVG")
  .parse();
const { threads, plot } = program.opts();
const [task] = program.processedArgs;
if (!Object.hasOwn(STEPS, task))
  program.error(`There is no task "${task}". Choose from ${Object.keys(STEPS).join(", ")}.`);
await init({ threads });
const { variant } = capabilities();
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const round = (x) => Number(x.toPrecision(4));

const points = [];
for (const edges of [960, 3120, 10_080, 31_680, 100_080, 316_320, 1_000_080]) {
  const step = STEPS[task](edges);
  for (let warm = 0; warm < 2; warm++) step();
  const times = [];
  for (let start = performance.now(); times.length < 3 || performance.now() - start < 2000; ) {
    const begin = performance.now();
    step();
    times.push(performance.now() - begin);
  }
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  points.push({ edges, median });
  const { rss } = process.memoryUsage();
  print({ task, edges, threads, variant, median_ms: round(median), rss_mb: round(rss / 2 ** 20) });
}

/** ln(median) = exponent · ln(edges) + offset. */
function fit() {
  const logs = points.map(({ edges, median }) => [Math.log(edges), Math.log(median)]);
  const mean = (k) => logs.reduce((sum, p) => sum + p[k], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const exponent =
    logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return { exponent, offset: my - exponent * mx };
}

const { exponent, offset } = fit();
print({ task, exponent: Number(exponent.toPrecision(3)) });
if (plot !== undefined) writeFileSync(plot, drawing());

/** Both axes logarithmic, 10³ … 10⁶ edges. */
function drawing() {
  const [width, height, margin] = [560, 400, 60];
  const times = points.map(({ median }) => median);
  const [low, high] = [Math.floor(Math.log10(Math.min(...times))), Math.ceil(Math.log10(Math.max(...times)))];
  const x = (edges) => margin + ((Math.log10(edges) - 2.9) / 3.2) * (width - 1.5 * margin);
  const y = (ms) => height - margin - ((Math.log10(ms) - low) / (high - low)) * (height - 1.5 * margin);
  const line = (x1, y1, x2, y2, colour) => `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}"/>`;
  const text = (at, to, words, anchor = "middle") =>
    `<text x="${at}" y="${to}" text-anchor="${anchor}">${words}</text>`;
  const decades = Array.from({ length: high - low + 1 }, (_, k) => 10 ** (low + k));
  const [first, last] = [points[0].edges, points.at(-1).edges];
  const fitted = (edges) => Math.exp(offset + exponent * Math.log(edges));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...decades.flatMap((ms) => [
      line(margin, y(ms), width - margin / 2, y(ms), "#ddd"),
      text(margin - 8, y(ms) + 4, `${ms} ms`, "end"),
    ]),
    ...[3, 4, 5, 6].flatMap((k) => [
      line(x(10 ** k), margin / 2, x(10 ** k), height - margin, "#ddd"),
      text(x(10 ** k), height - margin + 18, (10 ** k).toLocaleString("en")),
    ]),
    line(x(first), y(fitted(first)), x(last), y(fitted(last)), "#0877bd"),
    ...points.map(({ edges, median }) => `<circle cx="${x(edges)}" cy="${y(median)}" r="4" fill="#f59322"/>`),
    text(
      width / 2,
      height - 16,
      `edges; time of a training step of ${task} grows as their ${exponent.toPrecision(3)}th power`,
    ),
    "</svg>",
    "",
  ].join("\n");
}
