import type { Theme } from "../kit/theme.ts";
import { DOMAIN } from "./config.ts";
import type { Points } from "./data.ts";

interface Look {
  /** The plane's side in pixels. */
  side: number;
  radius: number;
  theme: Theme;
  /** Colour of a ring around each point. */
  ring?: string;
}

/** Draws points in the colours of their classes; x₂ grows upwards. */
export function drawPoints(
  context: CanvasRenderingContext2D,
  points: Points,
  { side, radius, theme, ring }: Look,
): void {
  const at = (x: number): number => ((x + DOMAIN) / (2 * DOMAIN)) * side;
  if (ring) {
    context.strokeStyle = ring;
    context.lineWidth = radius * 0.45;
  }
  for (let i = 0; i < points.label.length; i++) {
    context.beginPath();
    context.arc(at(points.x1[i]), side - at(points.x2[i]), radius, 0, 2 * Math.PI);
    context.fillStyle = points.label[i] > 0 ? theme.positive : theme.negative;
    context.fill();
    if (ring) context.stroke();
  }
}
