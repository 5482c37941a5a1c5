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
function naturals(text: string): number[] {
  return text.split(",").map((part) => natural(part.trim()));
}

/** "512,256" → [512, 256]; "none" → []. */
export const hiddenSizes = (text: string): number[] => (text.trim() === "none" ? [] : naturals(text));

/** "64x48" → [64, 48]: height and width in pixels; "64" is a square. */
export function imageSize(text: string): [height: number, width: number] {
  const [, height, width = height] = /^(\d+)(?:[x×](\d+))?$/i.exec(text.trim()) ?? [];
  if (height === undefined) throw new InvalidArgumentError("height and width are needed, like 64x64.");
  return [natural(height), natural(width)];
}

/** "3x224x224" → [3, 224, 224]: channels, height, width. */
export function imageShape(text: string): [channels: number, height: number, width: number] {
  const sizes = text.trim().split(/[x×]/i);
  if (sizes.length !== 3) throw new InvalidArgumentError("channels, height and width are needed, like 3x64x64.");
  return sizes.map(natural) as [number, number, number];
}
