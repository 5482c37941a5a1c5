/** The two halves of f32: F16 (5 bits of exponent, 10 of mantissa) and BF16 (the upper half of an f32). */

/** f32 = bf16: `out` as long as `halves`. */
export function widenBf16(halves: Uint16Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
}

/** f32 = f16, by a table of all 65,536: a model of 10⁸ weights is widened in a fraction of a second. */
export function widenF16(halves: Uint16Array, out: Float32Array): void {
  table ??= Uint32Array.from({ length: 65536 }, (_, half) => f32Bits(half));
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]];
}

let table: Uint32Array | undefined;

/** The bits of the f32 that equals an f16: 5 bits of exponent become 8, 10 of mantissa 23. */
function f32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (mantissa << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  // A denormal: shift the leading 1 into the hidden place.
  const shift = Math.clz32(mantissa) - 21;
  return sign | ((113 - shift) << 23) | (((mantissa << shift) & 1023) << 13);
}
