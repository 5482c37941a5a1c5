import { h } from "../kit/dom.ts";
import { svg } from "../kit/svg.ts";
import type { Theme } from "../kit/theme.ts";

/** A rectangle over a map, in its pixels. */
export interface Mark {
  x: number;
  y: number;
  width: number;
  height: number;
  /** For the style sheet: "window", "tap", "pixel". */
  kind: string;
}

export interface MapEvents {
  /** Pointed at, with a button down or not. */
  onPoint?(column: number, row: number, pressed: boolean): void;
  /** An arrow key. */
  onArrow?(columns: number, rows: number): void;
  /** Space or Enter. */
  onAct?(): void;
}

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** A square map as large pixels, with rectangles over it. With events it takes pointer and keyboard. */
export class MapView {
  readonly element: HTMLElement;
  readonly canvas = h("canvas", { width: 1, height: 1 });
  private readonly context = this.canvas.getContext("2d", { alpha: false })!;
  private readonly marks = svg("svg", { "aria-hidden": "true" });
  private side = 1;

  constructor(label: string, events?: MapEvents) {
    this.element = h("div", { className: "map", ariaLabel: label, role: events ? "application" : "img" });
    this.element.append(this.canvas, this.marks);
    if (events) this.listen(events);
  }

  /** What those hear who do not see it. */
  describe(label: string): void {
    this.element.ariaLabel = label;
  }

  private listen({ onPoint, onArrow, onAct }: MapEvents): void {
    const { element } = this;
    element.tabIndex = 0;
    element.classList.add("live");
    const point = (event: PointerEvent): void => {
      const box = element.getBoundingClientRect();
      const at = (from: number, length: number): number =>
        Math.max(0, Math.min(this.side - 1, Math.floor((from / length) * this.side)));
      onPoint?.(at(event.clientX - box.left, box.width), at(event.clientY - box.top, box.height), event.buttons > 0);
    };
    element.onpointerdown = (event) => {
      element.setPointerCapture(event.pointerId);
      point(event);
    };
    element.onpointermove = point;
    element.onkeydown = (event) => {
      const step = ARROWS[event.key];
      if (step) onArrow?.(...step);
      else if (onAct && (event.key === " " || event.key === "Enter")) onAct();
      else return;
      event.preventDefault();
    };
  }

  /** Pixels [side, side] as ImageData stores them. */
  draw(pixels: Uint32Array, side: number): void {
    if (this.side !== side || this.canvas.width !== side) {
      this.side = this.canvas.width = this.canvas.height = side;
      this.marks.setAttribute("viewBox", `0 0 ${side} ${side}`);
    }
    const image = this.context.createImageData(side, side);
    new Uint32Array(image.data.buffer).set(pixels);
    this.context.putImageData(image, 0, 0);
  }

  mark(marks: readonly Mark[]): void {
    this.marks.replaceChildren(
      ...marks.map(({ kind, ...box }) => svg("rect", { ...box, class: kind, "vector-effect": "non-scaling-stroke" })),
    );
  }
}

const opaque = (red: number, green: number, blue: number): number =>
  (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;

const GREYS = Uint32Array.from({ length: 256 }, (_, i) => opaque(i, i, i));

/** Bytes as greys. */
export const greyPixels = (bytes: ArrayLike<number>): Uint32Array => Uint32Array.from(bytes, (byte) => GREYS[byte]);

/** Bytes [3, pixels] in their colours. */
export function colourPixels(bytes: Uint8Array): Uint32Array {
  const n = bytes.length / 3;
  return Uint32Array.from({ length: n }, (_, i) => opaque(bytes[i], bytes[n + i], bytes[2 * n + i]));
}

/** The largest absolute value. */
export const reachOf = (values: Float32Array): number => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/**
 * A map in colours that depend on `all`, the numbers that it is compared with: greys where none of them is negative, else the theme's
 * two colours. Returns its legend, too.
 */
export function mapPixels(
  values: Float32Array,
  all: Float32Array,
  theme: Theme,
): { pixels: Uint32Array; legend: (number: (value: number) => string) => string } {
  const reach = reachOf(all);
  if (all.some((v) => v < 0))
    return {
      pixels: signedPixels(values, reach, theme),
      legend: (number) => `Orange −${number(reach)} … blue ${number(reach)}`,
    };
  const scale = reach > 0 ? 255 / reach : 0;
  return {
    pixels: greyPixels(values.map((v) => Math.round(v * scale))),
    legend: (number) => `Black 0 … white ${number(reach)}`,
  };
}

/** Numbers from −reach to reach in the theme's two colours. */
export function signedPixels(values: Float32Array, reach: number, { continuous }: Theme): Uint32Array {
  const scale = reach > 0 ? 127.5 / reach : 0;
  return Uint32Array.from(values, (v) => continuous[Math.max(0, Math.min(255, Math.round(127.5 + v * scale)))]);
}
