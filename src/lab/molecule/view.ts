import { LOOKS } from "../../viewer/palette.ts";
import { h, onResize } from "../kit/dom.ts";
import type { Theme } from "../kit/theme.ts";
import type { Subject } from "./functions.ts";
import type { Frame } from "./simulation.ts";

/** Share of an atom's covalent radius that its ball has. */
const BALL = 0.55;
/** Å */
const STICK = 0.13;
/** Å of arrow for 1 eV/Å. */
const ARROW = 0.4;
/** Radians for a width of the picture, and for an arrow key. */
const TURN = 4;
const KEY = 0.2;

/** A molecule in perspective, as balls and sticks on a canvas: drag or arrow keys turn it. */
export class MoleculeView {
  readonly element: HTMLElement;
  private readonly canvas = h("canvas", { tabIndex: 0, role: "img" });
  private readonly observer: ResizeObserver;
  private subject: Subject | undefined;
  private positions: Float64Array = new Float64Array();
  private forces: Float64Array | undefined;
  private arrows = false;
  private theme: Theme | undefined;
  private angles = { about: 0.6, over: 0.35 };
  /** Å that the picture reaches from its middle. */
  private reach = 2;

  constructor() {
    const { canvas } = this;
    this.element = h("div", { className: "molecule-view" }, canvas);
    this.observer = onResize(this.element, () => this.redraw());
    canvas.onpointerdown = ({ pointerId }) => canvas.setPointerCapture(pointerId);
    canvas.onpointermove = ({ buttons, movementX, movementY }) => {
      const scale = TURN / (canvas.clientWidth || 1);
      if (buttons & 1) this.turn(movementX * scale, movementY * scale);
    };
    canvas.onkeydown = (event) => {
      const turns: Record<string, [number, number]> = {
        ArrowLeft: [-KEY, 0],
        ArrowRight: [KEY, 0],
        ArrowUp: [0, -KEY],
        ArrowDown: [0, KEY],
      };
      if (!(event.key in turns)) return;
      event.preventDefault();
      this.turn(...turns[event.key]);
    };
  }

  restyle(theme: Theme): void {
    this.theme = theme;
    this.redraw();
  }

  showSubject(subject: Subject, name: string): void {
    this.subject = subject;
    this.positions = subject.positions;
    this.forces = undefined;
    this.canvas.ariaLabel = `${name}, ${subject.numbers.length} atoms. Arrow keys turn it.`;
    const { middle } = this;
    this.reach = 0.55 + subject.numbers.reduce((most, _, i) => Math.max(most, Math.hypot(...this.from(middle, i))), 0);
    this.redraw();
  }

  draw({ positions, forces }: Frame): void {
    // A frame of the molecule before.
    if (positions.length !== 3 * (this.subject?.numbers.length ?? 0)) return;
    this.positions = positions;
    this.forces = forces;
    this.redraw();
  }

  showForces(on: boolean): void {
    this.arrows = on;
    this.redraw();
  }

  destroy(): void {
    this.observer.disconnect();
  }

  private turn(about: number, over: number): void {
    const { angles } = this;
    this.angles = { about: angles.about + about, over: Math.min(1.5, Math.max(-1.5, angles.over + over)) };
    this.redraw();
  }

  /** The molecule may drift or turn: its middle stays in the middle of the picture. */
  private get middle(): number[] {
    const { positions } = this;
    const n = positions.length / 3;
    return [0, 1, 2].map(
      (c) => Array.from({ length: n }, (_, i) => positions[3 * i + c]).reduce((a, b) => a + b, 0) / n,
    );
  }

  private from(middle: readonly number[], i: number): number[] {
    return middle.map((m, c) => this.positions[3 * i + c] - m);
  }

  private redraw(): void {
    const { canvas, subject, theme, reach, angles } = this;
    const { clientWidth, clientHeight } = this.element;
    if (!subject || !theme || clientWidth === 0) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d")!;
    context.clearRect(0, 0, width, height);
    const scale = Math.min(width, height) / (2 * reach);
    const [ca, sa, co, so] = [
      Math.cos(angles.about),
      Math.sin(angles.about),
      Math.cos(angles.over),
      Math.sin(angles.over),
    ];
    const project = ([x, y, z]: readonly number[]) => {
      // z of the molecule points up; the eye looks along the depth.
      const [right, deep] = [ca * x - sa * y, sa * x + ca * y];
      const [up, depth] = [co * z - so * deep, so * z + co * deep];
      const near = 4 / (4 + depth / reach);
      return { x: width / 2 + scale * near * right, y: height / 2 - scale * near * up, depth, near };
    };
    const { middle } = this;
    const atoms = subject.numbers.map((z, i) => ({ i, look: LOOKS[z], at: this.from(middle, i) }));
    const places = atoms.map(({ at }) => project(at));
    const parts: { depth: number; draw: () => void }[] = [];
    const line = (
      from: { x: number; y: number },
      to: { x: number; y: number },
      colour: string,
      thick: number,
    ): void => {
      context.strokeStyle = colour;
      context.lineWidth = thick;
      context.lineCap = "butt";
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.stroke();
    };
    for (const [i, j] of subject.bonds) {
      // From ball to ball: what is inside of one is not seen.
      const way = atoms[j].at.map((x, c) => x - atoms[i].at[c]);
      const length = Math.hypot(...way) || 1;
      const inside = [radius(atoms[i].look), length - radius(atoms[j].look)].map((r, end) => r - [0.06, -0.06][end]);
      const [a, b] = inside.map((r) => project(atoms[i].at.map((x, c) => x + (r / length) * way[c])));
      const thick = STICK * scale * (a.near + b.near);
      parts.push({ depth: (a.depth + b.depth) / 2, draw: () => line(a, b, theme.muted, thick) });
    }
    for (const { i, look } of atoms) {
      const { x, y, depth, near } = places[i];
      const r = radius(look) * scale * near;
      parts.push({ depth, draw: () => ball(context, x, y, r, look.color) });
    }
    if (this.arrows && this.forces)
      for (const { i, at } of atoms) {
        const tip = project(at.map((x, c) => x + ARROW * this.forces![3 * i + c]));
        const depth = Math.min(places[i].depth, tip.depth) - 1;
        parts.push({
          depth,
          draw: () => arrow(context, places[i], tip, { colour: theme.accent, thick: 0.06 * scale }),
        });
      }
    for (const { draw } of parts.sort((a, b) => b.depth - a.depth)) draw();
  }
}

/** Of a ball, Å. */
const radius = (look: { radius: number }): number => BALL * look.radius + 0.04;

/** Lit from the upper left. */
function ball(context: CanvasRenderingContext2D, x: number, y: number, r: number, colour: string): void {
  const light = context.createRadialGradient(x - 0.35 * r, y - 0.4 * r, 0.1 * r, x, y, r);
  light.addColorStop(0, "#ffffff");
  light.addColorStop(0.35, colour);
  light.addColorStop(1, `color-mix(in srgb, ${colour} 55%, #000000)`);
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = light;
  context.fill();
}

function arrow(
  context: CanvasRenderingContext2D,
  from: { x: number; y: number },
  to: { x: number; y: number },
  { colour, thick }: { colour: string; thick: number },
): void {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length < thick) return;
  const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length];
  const head = Math.min(3 * thick, length);
  const at = (along: number, aside: number): [number, number] => [
    from.x + along * dx - aside * dy,
    from.y + along * dy + aside * dx,
  ];
  const [neck, half] = [length - head, 0.5 * thick];
  const outline = [at(0, half), at(neck, half), at(neck, 3 * half), at(length, 0), at(neck, -3 * half)];
  context.fillStyle = colour;
  context.beginPath();
  for (const [x, y] of [...outline, at(neck, -half), at(0, -half)]) context.lineTo(x, y);
  context.fill();
}
