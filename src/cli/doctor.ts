import { Command } from "commander";
import { gemm } from "../core/gemm.ts";
import { capabilities, init } from "../core/parallel.ts";
import { Rng } from "../core/random.ts";
import { zeros } from "../core/tensor.ts";
import { theEngine } from "../core/wasm.ts";
import { natural } from "./options.ts";
import { version } from "./version.ts";

export function doctorCommand(): Command {
  return new Command("doctor")
    .summary("what this machine can do")
    .description(
      "Says which kernels run here, on how many threads, and how fast: the peak of fused multiply-adds and what GEMM reaches of it.",
    )
    .option("--threads <n>", "compute threads", natural)
    .option("--json", "as JSON")
    .addHelpText("after", "\nExample:\n  spinel doctor")
    .action(doctor);
}

async function doctor({ threads, json }: { threads?: number; json?: boolean }): Promise<void> {
  const { cpus } = await import("node:os");
  await init({ threads });
  const engine = capabilities();
  const peak = measurePeak();
  const speed = measureGemm(1024);
  const facts = {
    spinel: version,
    node: process.versions.node,
    v8: process.versions.v8,
    machine: `${cpus()[0]?.model.trim() ?? "unknown"}, ${cpus().length} cores`,
    ...engine,
    peakGflops: +peak.toFixed(1),
    gemmGflops: +speed.toFixed(1),
    gemmShare: +(speed / (peak * engine.threads)).toFixed(3),
  };
  if (json) {
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    return;
  }
  process.stdout.write(
    [
      `spinel ${version} on Node ${facts.node} (V8 ${facts.v8})`,
      `machine   ${facts.machine}`,
      `kernels   ${engine.variant}, ${engine.threads} thread${engine.threads > 1 ? "s" : ""}`,
      ...(engine.reason ? [`          ${engine.reason}`] : []),
      `peak      ${facts.peakGflops} GFLOP/s on one thread, multiply-adds in registers`,
      `gemm      ${facts.gemmGflops} GFLOP/s for 1024 × 1024 × 1024, ${Math.round(100 * facts.gemmShare)} % of ${engine.threads} × the peak`,
      "",
    ].join("\n"),
  );
}

/** Best of five bursts of the register-only kernel, GFLOP/s. */
function measurePeak(): number {
  const { kernels } = theEngine();
  const rounds = 4_000_000;
  const out = zeros([16]);
  out.data.fill(0.999, 0, 4).fill(0.001, 4, 8);
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    kernels.peak(0, rounds, out.ptr);
    best = Math.min(best, performance.now() - start);
  }
  // Each round is 12 vector multiply-adds of 4 lanes, 2 operations each.
  return (rounds * 12 * 4 * 2) / best / 1e6;
}

/** Best of ten products of two n × n matrices, GFLOP/s. */
function measureGemm(n: number): number {
  const rng = new Rng(1);
  const [a, b, c] = [rng.normal([n, n]), rng.normal([n, n]), zeros([n, n])];
  let best = Infinity;
  for (let i = 0; i < 10; i++) {
    const start = performance.now();
    gemm(c.ptr, a.ptr, b.ptr, { m: n, n, k: n, ars: n, acs: 1, brs: n, bcs: 1 });
    best = Math.min(best, performance.now() - start);
  }
  return (2 * n ** 3) / best / 1e6;
}
