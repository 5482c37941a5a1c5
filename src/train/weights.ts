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

/** Copies an open file's tensors into a model's. */
export async function fillFrom(stored: SafetensorsFile, model: object, options?: LoadOptions): Promise<void> {
  for (const [name, tensor] of matchStateDict(model, stored.entries, options)) {
    let at = 0;
    for await (const piece of stored.pieces(name)) {
      tensor.data.set(piece, at);
      at += piece.length;
    }
  }
}
