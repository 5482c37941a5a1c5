import { Command } from "commander";
import { openSafetensors } from "../io/safetensors.ts";
import { parseCard } from "../train/predictor.ts";
import { formatCount } from "../train/progress.ts";
import { isSafetensors, tableInfo } from "./tableInfo.ts";

export function infoCommand(): Command {
  return new Command("info")
    .summary("what is in a file")
    .description("Shows what a model, checkpoint or table holds.")
    .argument("<file>", "model.safetensors, checkpoint.safetensors, or a table")
    .option("--json", "as JSON")
    .addHelpText("after", "\nExample:\n  spinel info runs/elemnet-energy/model.safetensors")
    .action(info);
}

async function info(file: string, { json }: { json?: boolean }): Promise<void> {
  const facts = (await isSafetensors(file)) ? await weightsInfo(file) : await tableInfo(file);
  if (json) process.stdout.write(`${JSON.stringify(facts)}\n`);
  else for (const [name, value] of Object.entries(facts)) print(name, value);
}

function print(name: string, value: unknown): void {
  if (value === undefined) return;
  if (Array.isArray(value)) {
    process.stdout.write(`${name}:\n`);
    for (const item of value)
      process.stdout.write(`  ${typeof item === "string" ? item : Object.values(item as object).join("  ")}\n`);
  } else if (typeof value === "object" && value !== null)
    process.stdout.write(
      `${name}: ${Object.entries(value)
        .map(([k, v]) => `${k} ${typeof v === "object" ? JSON.stringify(v) : v}`)
        .join(", ")}\n`,
    );
  else process.stdout.write(`${name}: ${value}\n`);
}

async function weightsInfo(file: string): Promise<Record<string, unknown>> {
  const stored = await openSafetensors(file);
  try {
    const tensors = [...stored.entries].map(([name, { dtype, shape }]) => ({
      name,
      dtype,
      shape: `[${shape.join(", ")}]`,
    }));
    const numbers = [...stored.entries.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const { spinel, fit } = stored.metadata;
    if (spinel) {
      const card = parseCard(spinel, file);
      const { formula, numeric = [], categorical = [] } = card.featuriser.spec;
      return {
        file,
        kind: "model",
        architecture: card.architecture,
        numbers: formatCount(numbers),
        target: card.target.unit ? `${card.target.name} (${card.target.unit})` : card.target.name,
        task:
          card.task.kind === "classification"
            ? { classes: card.task.classes.join(" | ") }
            : { regression: card.task.loss },
        features: {
          formula: formula ?? "none",
          numeric: numeric.join(" ") || "none",
          categorical: categorical.join(" ") || "none",
        },
        featuriserHash: card.featuriserHash,
        notes: card.notes,
        tensors,
      };
    }
    const state = fit ? JSON.parse(fit) : undefined;
    return {
      file,
      kind: state ? "checkpoint" : "weights",
      ...(state ? { epoch: state.epoch, step: state.step, seconds: Math.round(state.seconds) } : {}),
      numbers: formatCount(numbers),
      tensors,
    };
  } finally {
    await stored.close();
  }
}
