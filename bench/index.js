// Times the end-to-end tasks and the op families: `npm run bench -- [task…] [--threads N] [--json]`.
// A line for each task: best and median of at least two seconds of steps, after two that do not count.
import { Command } from "commander";
import { capabilities, init } from "spinel";
import { Bench } from "tinybench";
import { families } from "./families.js";
import { tasks } from "./tasks.js";

const all = { ...tasks, ...families };
const program = new Command("bench")
  .argument("[tasks...]", `any of ${Object.keys(all).join(", ")} (default: ${Object.keys(tasks).join(", ")})`)
  .option("--threads <n>", "compute threads", Number, 1)
  .option("--json", "lines only, no table")
  .option("--seconds <s>", "time for each task", Number, 2)
  .parse();
const { threads, json, seconds } = program.opts();
const names = program.args.length > 0 ? program.args : Object.keys(tasks);
const unknown = names.find((name) => !(name in all));
if (unknown) program.error(`There is no task "${unknown}". Choose from ${Object.keys(all).join(", ")}.`);

await init({ threads });
const { variant } = capabilities();
const rows = [];
for (const name of names) {
  const { step, flops } = all[name]();
  const bench = new Bench({ time: seconds * 1000, iterations: 3, warmupIterations: 2, warmupTime: 0 });
  bench.add(name, step);
  bench.runSync();
  const { latency, error } = bench.tasks[0].result;
  if (error) throw error;
  const round = (ms) => Number(ms.toPrecision(4));
  const line = {
    task: name,
    peer: "spinel",
    threads,
    variant,
    best_ms: round(latency.min),
    median_ms: round(latency.p50),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  rows.push({ ...line, ...(flops ? { gflops: round(flops / latency.min / 1e6) } : {}) });
}
if (!json) console.error(table(rows));

function table(lines) {
  const cells = lines.map((l) => [
    l.task,
    `best ${l.best_ms} ms`,
    `median ${l.median_ms} ms`,
    l.gflops ? `${l.gflops} GFLOP/s` : "",
  ]);
  const widths = [0, 1, 2, 3].map((c) => Math.max(...cells.map((row) => row[c].length)));
  return cells
    .map((row) =>
      row
        .map((cell, c) => cell.padEnd(widths[c]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
