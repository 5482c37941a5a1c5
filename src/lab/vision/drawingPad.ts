import { h } from "../kit/dom.ts";
import { fileButton, type PathFile } from "../kit/files.ts";
import { type Input, numberField, select } from "../kit/inputs.ts";
import { KINDS, LAST_SEED, type VisionState } from "./config.ts";
import { greyPixels, MapView } from "./mapView.ts";

export interface PadEvents {
  change(changes: Partial<VisionState>): void;
  onFile(file: PathFile): void;
  /** Something was drawn: the new picture. */
  onDraw(pixels: Uint8Array): void;
}

const BRUSHES = [
  [0, "black"],
  [128, "grey"],
  [255, "white"],
] as const;
/** Of the brush, in pixels. */
const RADIUS = 1.3;

/** The picture that all panels look at: generated, read from a file, or drawn here. */
export class DrawingPad {
  readonly element: HTMLElement;
  private readonly map: MapView;
  private readonly caption = h("p", { className: "note" });
  private readonly verdict = h("output", { className: "verdict" });
  private readonly picture: Input<VisionState["picture"]>;
  private readonly pictureSeed: Input<number>;
  private seed = 0;
  private pixels = new Uint8Array(1);
  private size = 1;
  private ink = 0;
  /** Where the keyboard's brush is; it shows once it was moved. */
  private cursor = { column: 0, row: 0, shown: false };
  private last: { column: number; row: number } | undefined;

  constructor({ change, onFile, onDraw }: PadEvents) {
    this.map = new MapView("Picture", {
      onPoint: (column, row, pressed) => {
        if (!pressed) this.last = undefined;
        else {
          this.line(column, row);
          onDraw(this.pixels);
        }
      },
      onArrow: (columns, rows) => {
        const { column, row, shown } = this.cursor;
        const within = (n: number): number => Math.max(0, Math.min(this.size - 1, n));
        this.cursor = shown
          ? { column: within(column + columns), row: within(row + rows), shown }
          : { column: this.size >> 1, row: this.size >> 1, shown: true };
        this.mark();
      },
      onAct: () => {
        this.last = undefined;
        this.line(this.cursor.column, this.cursor.row);
        onDraw(this.pixels);
      },
    });
    this.picture = select(
      "Generated",
      KINDS.map((kind) => [kind, kind] as const),
      (picture) => change({ picture }),
    );
    this.pictureSeed = numberField("Its seed", { least: 0, most: LAST_SEED }, (pictureSeed) => change({ pictureSeed }));
    const another = h("button", { type: "button", textContent: "Another", title: "The same kind, another seed" });
    another.onclick = () => change({ pictureSeed: (this.seed + 1) % (LAST_SEED + 1) });
    const brush = select(
      "Brush",
      BRUSHES.map(([ink, name]) => [ink, name] as const),
      (ink) => {
        this.ink = ink;
      },
    );
    brush.show(0);
    const clear = h("button", { type: "button", textContent: "Clear" });
    clear.onclick = () => {
      this.show(new Uint8Array(this.pixels.length).fill(255), this.size, "Your drawing.");
      onDraw(this.pixels);
    };
    const file = fileButton("Choose a file", { accept: ".png,.jpg,.jpeg,image/png,image/jpeg" }, ([first]) =>
      onFile(first),
    );
    this.element = h(
      "section",
      { className: "card pad" },
      h("h2", {}, "Picture"),
      this.map.element,
      this.caption,
      this.verdict,
      h("div", { className: "pair" }, this.picture.element, this.pictureSeed.element),
      h("div", { className: "row" }, another, file),
      h("div", { className: "row" }, brush.element, clear),
      h(
        "p",
        { className: "note" },
        "Draw on it with the pointer (or arrow keys and space), or drop a PNG or JPEG on the page. Files never leave this machine.",
      ),
    );
  }

  showState({ picture, pictureSeed }: VisionState): void {
    this.picture.show(picture);
    this.pictureSeed.show((this.seed = pictureSeed));
  }

  /** Another picture; `caption` is what it is. */
  show(pixels: Uint8Array, size: number, caption: string): void {
    this.pixels = pixels.slice();
    this.size = size;
    this.cursor.shown = false;
    this.last = undefined;
    this.caption.textContent = caption;
    this.map.describe(`Picture of ${size} × ${size} pixels: ${caption} Arrow keys move a brush, space draws.`);
    this.draw();
  }

  /** What the network says of it. */
  say(text: string): void {
    this.verdict.textContent = text;
  }

  private draw(): void {
    this.map.draw(greyPixels(this.pixels), this.size);
    this.mark();
  }

  private mark(): void {
    const { column, row, shown } = this.cursor;
    this.map.mark(shown ? [{ x: column, y: row, width: 1, height: 1, kind: "pixel" }] : []);
  }

  /** Ink from the last point to this one. */
  private line(column: number, row: number): void {
    const from = this.last ?? { column, row };
    const steps = Math.max(1, Math.abs(column - from.column), Math.abs(row - from.row));
    for (let i = 0; i <= steps; i++)
      this.dot(from.column + ((column - from.column) * i) / steps, from.row + ((row - from.row) * i) / steps);
    this.last = { column, row };
    this.caption.textContent = "Your drawing.";
    this.draw();
  }

  private dot(x: number, y: number): void {
    const { pixels, size } = this;
    for (let row = Math.ceil(y - RADIUS); row <= y + RADIUS; row++)
      for (let column = Math.ceil(x - RADIUS); column <= x + RADIUS; column++) {
        const inside = row >= 0 && row < size && column >= 0 && column < size;
        if (inside && (row - y) ** 2 + (column - x) ** 2 <= RADIUS ** 2) pixels[row * size + column] = this.ink;
      }
  }
}
