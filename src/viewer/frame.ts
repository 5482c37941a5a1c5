import { kindsOf, type Scene } from "./scene.ts";

/** Elements in a shadow tree, whose style sheet is made by script: strict Content-Security-Policies forbid style elements. */
const STYLE = `
:host { display: block; position: relative; height: 100%; min-height: 120px; color: inherit; font-size: 12px; line-height: 1.4; }
.view { position: absolute; inset: 0; overflow: hidden; border-radius: 6px; }
canvas, svg { position: absolute; inset: 0; width: 100%; height: 100%; display: block; cursor: grab; }
canvas:active { cursor: grabbing; }
svg { height: calc(100% - 22px); cursor: default; }
canvas:focus { outline: none; }
canvas:focus-visible { outline: 2px solid Highlight; outline-offset: -2px; border-radius: 6px; }
ul { position: absolute; top: 6px; left: 8px; margin: 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 0 10px; pointer-events: none; }
li { display: flex; align-items: center; gap: 5px; font-weight: 600; }
li i { width: 10px; height: 10px; border-radius: 50%; box-shadow: inset 0 0 0 1px rgb(128 128 128 / 60%); }
.tip {
  position: absolute; left: 0; top: 0; padding: 4px 8px; border-radius: 5px; pointer-events: none; white-space: pre; max-width: 100%;
  background: #1b1f27; color: #ffffff; border: 1px solid #4a5364; font-variant-numeric: tabular-nums;
}
.note { position: absolute; left: 8px; right: 8px; bottom: 4px; margin: 0; opacity: 0.75; }
[hidden] { display: none; }
`;

/** The viewer's elements within those of the page. */
export class Frame {
  private readonly host = document.createElement("div");
  private readonly view = div("view");
  private readonly legend = document.createElement("ul");
  private readonly tip = div("tip");
  private readonly observer: ResizeObserver;

  constructor(
    element: HTMLElement,
    private readonly picture: HTMLElement | SVGElement,
    onResize: () => void,
  ) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    const root = this.host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.tip.hidden = true;
    this.view.append(picture, this.legend, this.tip);
    root.append(this.view);
    element.append(this.host);
    this.picture.setAttribute("role", "img");
    this.observer = new ResizeObserver(onResize);
    this.observer.observe(this.host);
  }

  get size(): { width: number; height: number } {
    return { width: this.host.clientWidth, height: this.host.clientHeight };
  }

  /** The page's colour of text here. */
  get ink(): string {
    const { color } = getComputedStyle(this.host);
    // Colours in the newer notations mean nothing to three.
    return /^rgb\(/.test(color) ? color : "#888888";
  }

  describe(scene: Scene, label: string): void {
    this.picture.setAttribute("aria-label", label);
    this.legend.replaceChildren(
      ...kindsOf(scene).map(({ name, color }) => {
        const item = document.createElement("li");
        const dot = document.createElement("i");
        dot.style.background = color;
        item.append(dot, name);
        return item;
      }),
    );
  }

  note(text: string): void {
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = text;
    this.view.append(note);
  }

  /** Beside the point (x, y) of the frame, in its bounds; without lines it vanishes. */
  say(lines: readonly string[], x = 0, y = 0): void {
    this.tip.hidden = lines.length === 0;
    if (lines.length === 0) return;
    this.tip.textContent = lines.join("\n");
    const { width, height } = this.size;
    const left = Math.max(0, Math.min(x + 14, width - this.tip.offsetWidth - 4));
    const below = y + 16 + this.tip.offsetHeight < height;
    this.tip.style.transform = `translate(${left}px, ${below ? y + 16 : Math.max(0, y - this.tip.offsetHeight - 8)}px)`;
  }

  remove(): void {
    this.observer.disconnect();
    this.host.remove();
  }
}

function div(className: string): HTMLDivElement {
  const element = document.createElement("div");
  element.className = className;
  return element;
}
