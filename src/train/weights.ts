import { openSafetensors, type SafetensorsFile } from "../io/safetensors.ts";
import type { ByteSource } from "../io/source.ts";
import { type LoadOptions, matchStateDict } from "../nn/index.ts";

/**
 * Loads weights into a model by name: a safetensors file of any float type (F32, F16, BF16 …), a path in Node, a File in browsers.
 * Names and shapes are compared first, and listed whole where they differ; then the values go into the model's memory piece by
 * piece, so that a file of any size costs a few MB beside the model.
 *
 * @example await loadSafetensors(new Vgg([3, 224, 224], 10, rng), "vgg16.safetensors", { except: /^classifier\.6\./ });
 */
export async function loadSafetensors(
  model: object,
  source: ByteSource,
  options: LoadOptions & { file?: string } = {},
): Promise<void> {
  const stored = await openSafetensors(source, options);
  try {
    await fillFrom(stored, model, options);
  } finally {
    await stored.close();
  }
}

/** Copies an open file's tensors into a model's. `names` gives the model's name of each one in the file, undefined for those to skip. */
export async function fillFrom(
  stored: SafetensorsFile,
  model: object,
  { names = (name) => name, ...options }: LoadOptions & { names?: (name: string) => string | undefined } = {},
): Promise<void> {
  const from = new Map<string, string>();
  for (const name of stored.entries.keys()) {
    const own = names(name);
    if (own !== undefined) from.set(own, name);
  }
  const entries = new Map([...from].map(([own, name]) => [own, stored.entries.get(name)!]));
  for (const [name, tensor] of matchStateDict(model, entries, options)) {
    let at = 0;
    for await (const piece of stored.pieces(from.get(name)!)) {
      tensor.data.set(piece, at);
      at += piece.length;
    }
  }
}
