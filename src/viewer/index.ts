import { DirectionalLight, type Group, HemisphereLight, Scene as Space } from "three";
import { drawAxes } from "./axes.ts";
import { drawFlat, make } from "./flat.ts";
import { Frame } from "./frame.ts";
import { disposeOf, meshesOf, rimOf } from "./meshes.ts";
import { describe, formulaOf, type Scene, sceneOf } from "./scene.ts";
import { Stage } from "./stage.ts";
import type { ViewedStructure } from "./structure.ts";
import { View } from "./view.ts";

export type { ViewedOccupant, ViewedStructure } from "./structure.ts";

export interface Viewer {
  /** Shows something else; the direction of view stays, and so does its distance where the atoms do. */
  update(data: ViewedStructure): void;
  /** Draws a rim around all images of an atom, by its index in the data; without one the rim goes. */
  highlight(atom?: number): void;
  /** Takes the viewer off the page and frees what it holds on the GPU. */
  dispose(): void;
}

export interface ViewerOptions {
  /** What the picture shows, for those who do not see it. Default: "Crystal structure of NaCl, 8 atoms". */
  label?: string;
}

/**
 * Draws a structure in three dimensions, filling `element`, whose height the page decides. Drag, or the arrow keys, turn it; the wheel
 * and + − zoom once it has been chosen; a double click or Home resets; an atom pointed at tells its element and coordinates.
 */
export function mountStructure(element: HTMLElement, data: ViewedStructure, options: ViewerOptions = {}): Viewer {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let solid: SolidViewer | undefined;
  const stage = Stage.join(redraw);
  if (!stage || !context) return mountFlat(element, data, options);
  solid = new SolidViewer(element, context, stage, redraw, data, options);
  return solid;

  function redraw(): void {
    solid?.draw();
  }
}

function mountFlat(element: HTMLElement, data: ViewedStructure, options: ViewerOptions): Viewer {
  const svg = make("svg", {});
  const frame = new Frame(element, svg, () => {});
  frame.note("A flat drawing: this browser has no WebGL.");
  const update = (data: ViewedStructure): void => {
    const scene = sceneOf(data);
    drawFlat(svg, scene, data.labels);
    frame.describe(scene, labelOf(scene, options));
  };
  update(data);
  return { update, highlight: () => {}, dispose: () => frame.remove() };
}

class SolidViewer implements Viewer {
  private readonly canvas: HTMLCanvasElement;
  private readonly space = new Space();
  private readonly frame: Frame;
  private readonly view: View;
  private readonly events = new AbortController();
  private scene: Scene | undefined;
  private meshes: Group | undefined;
  private rim: Group | undefined;
  private marked: number | undefined;
  private ink = "";
  private pending = 0;

  constructor(
    element: HTMLElement,
    private readonly context: CanvasRenderingContext2D,
    private readonly stage: Stage,
    private readonly redraw: () => void,
    private data: ViewedStructure,
    private readonly options: ViewerOptions,
  ) {
    this.canvas = context.canvas;
    this.canvas.tabIndex = 0;
    this.canvas.width = this.canvas.height = 0;
    this.frame = new Frame(element, this.canvas, () => this.resize());
    this.view = new View(this.canvas, () => this.schedule());
    const light = new DirectionalLight("#ffffff", 2.2);
    light.position.set(-0.5, 0.8, 1);
    // The lamp goes with the camera.
    this.view.camera.add(light);
    this.space.add(this.view.camera, new HemisphereLight("#ffffff", "#777788", 1.9));
    this.listen();
    this.update(data);
    this.resize();
  }

  update(data: ViewedStructure): void {
    const before = this.scene;
    const scene = sceneOf(data);
    this.data = data;
    this.scene = scene;
    this.frame.describe(scene, `${labelOf(scene, this.options)}. Arrow keys turn it, plus and minus zoom.`);
    this.frame.say([]);
    const same = before?.radius === scene.radius && before.center.every((x, k) => x === scene.center[k]);
    if (!same) this.view.fit(scene);
    this.mark();
    this.ink = "";
    this.schedule();
  }

  highlight(atom?: number): void {
    if (atom === this.marked) return;
    this.marked = atom;
    this.mark();
    this.schedule();
  }

  dispose(): void {
    cancelAnimationFrame(this.pending);
    this.events.abort();
    this.replace(this.meshes);
    this.replace(this.rim);
    this.view.dispose();
    this.frame.remove();
    this.stage.leave(this.redraw);
  }

  draw(): void {
    cancelAnimationFrame(this.pending);
    this.pending = 0;
    const { scene } = this;
    if (!scene || this.canvas.width === 0 || this.canvas.height === 0) return;
    this.build(scene);
    this.stage.draw(this.space, this.view.camera, this.context);
    if (scene.lattice) drawAxes(this.context, scene.lattice, this.view.camera, this.ratio);
  }

  private get ratio(): number {
    return Math.min(2, window.devicePixelRatio || 1);
  }

  /** Once before the next frame of the screen, however often it is asked for: nothing is drawn while nothing changes. */
  private schedule(): void {
    this.pending ||= requestAnimationFrame(() => this.draw());
  }

  private resize(): void {
    const { width, height } = this.frame.size;
    const pixels = [width, height].map((length) => Math.round(length * this.ratio));
    if (pixels[0] === this.canvas.width && pixels[1] === this.canvas.height) return;
    [this.canvas.width, this.canvas.height] = pixels;
    if (width === 0 || height === 0) return;
    this.view.resize(width, height);
    // Not at the next frame: a canvas is blank after a change of size.
    this.draw();
  }

  /** The meshes, anew where the structure or the page's colours changed. */
  private build(scene: Scene): void {
    const { ink } = this.frame;
    if (ink === this.ink) return;
    this.ink = ink;
    this.meshes = this.replace(this.meshes, meshesOf(scene, ink));
  }

  private mark(): void {
    const { scene, marked } = this;
    const rim = scene && marked !== undefined && marked < scene.sites.length ? rimOf(scene, marked) : undefined;
    this.rim = this.replace(this.rim, rim);
  }

  private replace(old: Group | undefined, next?: Group): Group | undefined {
    if (old) {
      this.space.remove(old);
      disposeOf(old);
    }
    if (next) this.space.add(next);
    return next;
  }

  private listen(): void {
    const { signal } = this.events;
    const redraw = (): void => this.draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.schedule(), { signal });
    addEventListener("beforeprint", redraw, { signal });
    addEventListener("afterprint", redraw, { signal });
    const point = (event: PointerEvent): void => {
      const { scene, frame } = this;
      const { width, height } = frame.size;
      const dragged = event.type === "pointermove" && event.buttons > 0;
      const { offsetX: x, offsetY: y } = event;
      const ball = scene && !dragged && this.view.pick(scene, (2 * x) / width - 1, 1 - (2 * y) / height);
      frame.say(scene && ball ? describe(scene, ball, this.data.labels) : [], x, y);
    };
    this.canvas.addEventListener("pointermove", point, { signal });
    this.canvas.addEventListener("pointerdown", point, { signal });
    // A finger leaves when it is lifted, and what it asked for should stay.
    const leave = (event: PointerEvent): void => {
      if (event.pointerType === "mouse") this.frame.say([]);
    };
    this.canvas.addEventListener("pointerleave", leave, { signal });
  }
}

function labelOf(scene: Scene, { label }: ViewerOptions): string {
  const count = scene.sites.length;
  return label ?? `${scene.lattice ? "Crystal structure" : "Molecule"} of ${formulaOf(scene)}, ${count} atoms`;
}
