import { h } from "./dom.ts";

/** A square map on a canvas of as many pixels; the style sheet scales it. */
export class HeatMap {
  readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly image: ImageData;
  private readonly pixels: Uint32Array;

  constructor(private readonly size: number) {
    this.canvas = h("canvas", { width: size, height: size });
    this.context = this.canvas.getContext("2d", { alpha: false })!;
    this.image = this.context.createImageData(size, size);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** Paints a map of side `from`, every (from / size)-th cell of it, by a table of 256 pixels. */
  draw(map: Uint8Array, palette: Uint32Array, from = this.size): void {
    const { size, pixels } = this;
    const stride = from / size;
    for (let row = 0, i = 0; row < size; row++) {
      const start = Math.floor((row + 0.5) * stride) * from;
      for (let column = 0; column < size; column++)
        pixels[i++] = palette[map[start + Math.floor((column + 0.5) * stride)]];
    }
    this.context.putImageData(this.image, 0, 0);
  }
}
