import { type Camera, Vector3 } from "three";
import type { Lattice } from "../data/lattice.ts";

const COLORS = ["#e0453a", "#2f9e44", "#3b7ddd"];

/** The directions of a, b and c in the lower left corner, as the camera sees them. `ratio` is pixels to a CSS pixel. */
export function drawAxes(context: CanvasRenderingContext2D, { matrix }: Lattice, camera: Camera, ratio: number): void {
  const { height } = context.canvas;
  const arm = 22;
  const turn = camera.quaternion.clone().invert();
  const arrows = matrix.map((vector, k) => ({
    ...{ name: "abc"[k], color: COLORS[k] },
    to: new Vector3(...vector).normalize().applyQuaternion(turn),
  }));
  context.save();
  context.translate(0, height);
  context.scale(ratio, ratio);
  context.translate(arm + 14, -arm - 14);
  context.lineWidth = 2;
  context.lineCap = "round";
  context.font = "600 11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  // What points away is drawn first.
  for (const { name, color, to } of arrows.sort((p, q) => p.to.z - q.to.z)) {
    context.strokeStyle = context.fillStyle = color;
    context.beginPath();
    context.moveTo(0, 0);
    context.lineTo(arm * to.x, -arm * to.y);
    context.stroke();
    const beyond = (arm + 8) / Math.max(0.35, Math.hypot(to.x, to.y));
    const reach = Math.min(arm + 8, beyond);
    context.fillText(name, reach * to.x, -reach * to.y - (Math.hypot(to.x, to.y) < 0.2 ? 9 : 0));
  }
  context.restore();
}
