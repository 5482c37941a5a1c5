import { UserError } from "../core/errors.ts";

/** A picture in planes, or a signal as a picture of height 1. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** 1 (grey) or 3 (red, green, blue) for pictures; any number for signals. */
  readonly channels: number;
  /** [channels, height, width], row-major: bytes 0 … 255, or numbers in a unit of their own. */
  readonly data: Uint8Array | Float32Array;
}

/** An image whose data have the length that its sizes ask for. @throws UserError otherwise */
export function image(width: number, height: number, channels: number, data: Uint8Array | Float32Array): Image {
  for (const size of [width, height, channels])
    if (!(Number.isInteger(size) && size > 0))
      throw new UserError(`An image cannot be ${width} × ${height} × ${channels}.`);
  if (data.length !== width * height * channels)
    throw new UserError(
      `An image of ${width} × ${height} × ${channels} has ${width * height * channels} numbers, not ${data.length}.`,
    );
  return { width, height, channels, data };
}
