import { Command } from "commander";
import { formatBytes } from "../data/partfile.ts";
import { getDataset, listDatasets } from "../data/registry.ts";

export function dataCommand(): Command {
  const command = new Command("data")
    .summary("public data sets: list, get")
    .description("Public data sets, by URL and checksum.");
  command
    .command("list")
    .description("Lists the data sets there are.")
    .option("--json", "as JSON")
    .addHelpText("after", "\nExample:\n  spinel data list")
    .action(async ({ json }: { json?: boolean }) => {
      const all = await listDatasets();
      if (json) process.stdout.write(`${JSON.stringify(all)}\n`);
      else
        for (const { name, title, rows, unit, downloaded } of all)
          process.stdout.write(
            `${downloaded ? "✓" : " "} ${name.padEnd(26)} ${String(rows).padStart(7)} rows  ${title}${unit ? ` (${unit})` : ""}\n`,
          );
    });
  command
    .command("get")
    .description(
      "Downloads a data set into the cache folder (SPINEL_DATA, or the user's cache), goes on where it was cut, checks it, and prints its path.",
    )
    .argument("<name>", "see spinel data list")
    .option("--dir <folder>", "where to keep it")
    .option("--json", "as JSON")
    .addHelpText("after", "\nExample:\n  spinel data get matbench_expt_gap")
    .action(get);
  return command.addHelpText("after", "\nExamples:\n  spinel data list\n  spinel data get matbench_expt_gap");
}

async function get(name: string, { dir, json }: { dir?: string; json?: boolean }): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once("SIGINT", stop);
  let drawn = 0;
  try {
    const path = await getDataset(name, {
      directory: dir,
      signal: controller.signal,
      onProgress({ received, total }) {
        if (!process.stderr.isTTY || json || performance.now() - drawn < 100) return;
        drawn = performance.now();
        process.stderr.write(`\r${name}: ${formatBytes(received)}${total ? ` of ${formatBytes(total)}` : ""}\x1b[K`);
      },
    });
    if (drawn > 0) process.stderr.write("\r\x1b[K");
    process.stdout.write(json ? `${JSON.stringify({ name, path })}\n` : `${path}\n`);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    process.stderr.write(`\nInterrupted. The same command goes on where it stopped.\n`);
    process.exitCode = 130;
  } finally {
    process.off("SIGINT", stop);
  }
}
