import { PerspectiveCamera, Vector3 } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import type { Vector3 as Triple } from "../data/lattice.ts";
import { type Ball, ballRadius, type Scene } from "./scene.ts";

/** The first view, as unit vectors: to the right, up, towards the viewer. a points to the viewer, b to the right, c up. */
export const AXES: readonly [right: Triple, up: Triple, towards: Triple] = firstAxes(0.42, 0.3);

/** Degrees: nearly parallel rays, as in drawings of crystals, with a little depth. */
const FIELD = 22;

/** Radians by one press of an arrow key. */
const STEP = Math.PI / 24;

/** A camera that turns about the scene's centre by mouse, finger and keys; `onChange` asks for a new picture. */
export class View {
  readonly camera = new PerspectiveCamera(FIELD);
  private readonly controls: OrbitControls;
  private readonly center = new Vector3();
  private reach = 1;

  constructor(canvas: HTMLCanvasElement, onChange: () => void) {
    this.camera.up.set(0, 0, 1);
    this.camera.position.set(...AXES[2]);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.addEventListener("change", onChange);
    // The wheel, and a finger up or down, belong to the page until the canvas has been chosen.
    const choose = (chosen: boolean): void => {
      this.controls.enableZoom = chosen;
      canvas.style.touchAction = chosen ? "none" : "pan-y";
    };
    choose(false);
    canvas.addEventListener("focus", () => choose(true));
    canvas.addEventListener("blur", () => choose(false));
    canvas.addEventListener("keydown", (event) => this.press(event));
    canvas.addEventListener("dblclick", () => this.reset());
  }

  /** The whole scene in sight, from the direction that the camera has. */
  fit({ center, reach }: Scene): void {
    this.reach = reach;
    const direction = this.camera.position.clone().sub(this.controls.target).normalize();
    this.center.set(...center);
    this.stand(direction);
    this.adjust();
  }

  resize(width: number, height: number): void {
    const before = this.distance();
    this.camera.aspect = width / height;
    // What was in sight stays in sight.
    const from = this.camera.position.clone().sub(this.controls.target);
    this.camera.position.copy(this.controls.target).addScaledVector(from, this.distance() / before);
    this.adjust();
  }

  reset(): void {
    this.stand(new Vector3(...AXES[2]));
    this.controls.update();
  }

  /** The ball that is seen at (x, y), in −1 … 1 to the right and up. */
  pick({ balls, sites }: Scene, x: number, y: number): Ball | undefined {
    const eye = this.camera.position;
    const ray = new Vector3(x, y, 0.5).unproject(this.camera).sub(eye).normalize();
    let nearest = Number.POSITIVE_INFINITY;
    let found: Ball | undefined;
    for (const ball of balls) {
      const to = new Vector3(...ball.position).sub(eye);
      const along = to.dot(ray);
      const beside = to.lengthSq() - along * along;
      const inside = ballRadius(sites[ball.atom]) ** 2 - beside;
      const depth = along - Math.sqrt(Math.max(0, inside));
      if (inside > 0 && along > 0 && depth < nearest) [nearest, found] = [depth, ball];
    }
    return found;
  }

  dispose(): void {
    this.controls.dispose();
  }

  private stand(direction: Vector3): void {
    this.controls.target.copy(this.center);
    this.camera.position.copy(this.center).addScaledVector(direction, this.distance());
  }

  /** From the centre, so that a sphere of the scene's reach just fits. */
  private distance(): number {
    const half = (FIELD * Math.PI) / 360;
    const narrow = Math.atan(Math.tan(half) * Math.min(1, this.camera.aspect));
    return (1.04 * this.reach) / Math.sin(narrow);
  }

  private adjust(): void {
    const distance = this.distance();
    [this.controls.minDistance, this.controls.maxDistance] = [0.2 * distance, 4 * distance];
    [this.camera.near, this.camera.far] = [0.02 * distance, 8 * distance];
    this.camera.updateProjectionMatrix();
    this.controls.update();
  }

  private press(event: KeyboardEvent): void {
    const { controls } = this;
    const turns: Record<string, () => void> = {
      ArrowLeft: () => controls.rotateLeft(STEP),
      ArrowRight: () => controls.rotateLeft(-STEP),
      ArrowUp: () => controls.rotateUp(STEP),
      ArrowDown: () => controls.rotateUp(-STEP),
      "+": () => controls.dollyIn(0.9),
      "-": () => controls.dollyOut(0.9),
      Home: () => this.reset(),
    };
    const turn = turns[event.key];
    if (!turn || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    turn();
  }
}

/** A camera turned from the x axis by `aside` about z and raised by `above`, radians. */
function firstAxes(aside: number, above: number): [Triple, Triple, Triple] {
  const [ca, sa, cb, sb] = [Math.cos(aside), Math.sin(aside), Math.cos(above), Math.sin(above)];
  return [
    [-sa, ca, 0],
    [-sb * ca, -sb * sa, cb],
    [cb * ca, cb * sa, sb],
  ];
}
