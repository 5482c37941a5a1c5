import { InvalidArgumentError } from "commander";

/** Readers of option values. Their complaint follows the option and the value: `--epochs "x": a number is needed.` */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("a number is needed.");
  return value;
}

export function natural(text: string): number {
  const value = Number(text);
  if (!(/^\d+$/.test(text) && value >= 1 && value < 2 ** 31))
    throw new InvalidArgumentError("a whole number ≥ 1 is needed.");
  return value;
}

/** "a,b" → ["a", "b"]. */
export function list(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.includes("")) throw new InvalidArgumentError("names are needed, separated by commas.");
  return parts;
}

/** "512,256" → [512, 256]. */
export function naturals(text: string): number[] {
  return text.split(",").map((part) => natural(part.trim()));
}
