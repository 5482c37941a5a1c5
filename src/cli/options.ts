import { InvalidArgumentError } from "commander";

/** Readers of option values; commander turns their errors into one clear line. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError(`"${text}" is not a number.`);
  return value;
}

export function natural(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError(`"${text}" is not a whole number ≥ 1.`);
  return value;
}

export function fraction(text: string): number {
  const value = number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError(`"${text}" is not between 0 and 1.`);
  return value;
}

/** "a,b" → ["a", "b"]. */
export const list = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

export const naturals = (text: string): number[] => list(text).map(natural);

/** A schedule's name, or its JSON. */
export function scheduleOption(text: string): unknown {
  if (!text.trim().startsWith("{")) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}
