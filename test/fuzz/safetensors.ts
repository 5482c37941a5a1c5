import { UserError } from "../../src/core/errors.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/io/safetensors.ts";

/** A seeded stream of 32-bit numbers (xorshift), so that a failure can be repeated from its seed. */
function stream(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const WHOLE = encodeSafetensors(
  {
    "layers.0.weight": { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    "layers.0.bias": { shape: [2], data: Float32Array.of(0.5, -0.5) },
    "norm.num_batches_tracked": { shape: [], data: BigInt64Array.of(7n) },
    mask: { shape: [3], data: Uint8Array.of(1, 0, 1) },
    empty: { shape: [0, 4], data: new Float32Array(0) },
  },
  { format: "pt", architecture: '{"layers": [3, 2]}' },
);

const WORDS = [
  '"F16"',
  '"I64"',
  "-1",
  "1e99",
  "[",
  "]",
  "{",
  "}",
  '"',
  ",",
  "9007199254740993",
  "null",
  "\u0000",
  "[0,8]",
];

/** Header bytes are hit as often as data, and by JSON's own words as often as by noise. */
function mutate(random: (below: number) => number): Uint8Array {
  let bytes = [...WHOLE];
  for (let count = 1 + random(4); count > 0; count--) {
    const place = random(random(2) === 0 ? 16 : bytes.length + 1);
    const kind = random(6);
    if (kind === 0) bytes = bytes.slice(0, place);
    else if (kind === 1) bytes[place] = random(256);
    else if (kind === 2) bytes.splice(place, 1 + random(9));
    else if (kind === 3) bytes.splice(place, 0, ...bytes.slice(random(bytes.length), place));
    else if (kind === 4) bytes.splice(place, random(6), ...new TextEncoder().encode(WORDS[random(WORDS.length)]));
    else if (bytes.length > 8) bytes[random(8)] = random(256);
  }
  return Uint8Array.from(bytes);
}

/**
 * Damages a file in `count` ways. Each must be refused by a UserError or be read as tensors that fit their shapes and survive a
 * round trip. Returns how many were refused.
 */
export function fuzzSafetensors(count: number, seed: number): number {
  const random = stream(seed);
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const bytes = mutate(random);
    try {
      const { tensors, metadata } = decodeSafetensors(bytes, { file: "fuzz" });
      for (const [name, { shape, data }] of tensors) {
        const size = shape.reduce((product, n) => product * n, 1);
        if (data.length !== size) throw new Error(`${name}: ${data.length} values for shape [${shape}]`);
      }
      const again = decodeSafetensors(encodeSafetensors(tensors, metadata));
      if (again.tensors.size !== tensors.size) throw new Error("a tensor was lost on the way");
    } catch (error) {
      if (!(error instanceof UserError)) throw new Error(`seed ${seed}, case ${i}: ${error}`, { cause: error });
      refused++;
    }
  }
  return refused;
}
