import { type Image, image } from "./image.ts";

/** The orientation 1 … 8 in an EXIF block (the bytes after "Exif\0\0"); 1, upright, where it says nothing that makes sense. */
export function exifOrientation(tiff: Uint8Array): number {
  const little = tiff[0] === 0x49;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  try {
    const first = view.getUint32(4, little);
    const count = view.getUint16(first, little);
    for (let i = 0; i < count; i++) {
      const entry = first + 2 + 12 * i;
      if (view.getUint16(entry, little) !== 0x0112) continue;
      const value = view.getUint16(entry + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}

/** The picture upright: for EXIF's orientations 2 … 8 it is mirrored, turned or both. */
export function orient(picture: Image, orientation: number): Image {
  if (orientation === 1) return picture;
  const { width, height, channels, data } = picture;
  const transposed = orientation >= 5;
  const [w, h] = transposed ? [height, width] : [width, height];
  // From where along the stored picture's x and y: its far end for these orientations.
  const mirrorX = [2, 3, 7, 8].includes(orientation);
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  const out = data.slice();
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) {
        const [u, v] = transposed ? [y, x] : [x, y];
        const from = (mirrorY ? height - 1 - v : v) * width + (mirrorX ? width - 1 - u : u);
        out[(c * h + y) * w + x] = data[c * width * height + from];
      }
  return image(w, h, channels, out);
}
