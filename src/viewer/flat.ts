import type { Vector3 } from "../data/lattice.ts";
import { ballRadius, cellEdges, describe, type Scene } from "./scene.ts";
import { AXES } from "./view.ts";

/** The scene projected on the plane that the 3-D view has at first, as SVG: what is left to browsers without WebGL. */
export function drawFlat(svg: SVGSVGElement, scene: Scene, labels?: readonly string[]): void {
  const { balls, sticks, sites, center, reach, lattice } = scene;
  const [right, up, towards] = AXES;
  const project = (point: Vector3): { x: number; y: number; depth: number } => {
    const v = point.map((x, k) => x - center[k]);
    const along = (axis: Vector3): number => axis[0] * v[0] + axis[1] * v[1] + axis[2] * v[2];
    return { x: along(right), y: -along(up), depth: along(towards) };
  };
  const parts: { depth: number; element: SVGElement }[] = [];
  const line = (from: Vector3, to: Vector3, attributes: Record<string, string | number>): void => {
    const [a, b] = [project(from), project(to)];
    const element = make("line", { x1: a.x, y1: a.y, x2: b.x, y2: b.y, ...attributes });
    parts.push({ depth: (a.depth + b.depth) / 2, element });
  };
  for (const [from, to] of lattice ? cellEdges(lattice) : [])
    line(from, to, { stroke: "currentColor", "stroke-width": 0.01 * reach, "stroke-opacity": 0.5 });
  for (const { from, to, ghost } of sticks)
    line(balls[from].position, balls[to].position, {
      stroke: "#8890a0",
      "stroke-width": 0.025 * reach,
      "stroke-opacity": ghost ? 0.35 : 1,
    });
  for (const ball of balls) {
    const { x, y, depth } = project(ball.position);
    const element = make("circle", {
      ...{ cx: x, cy: y, r: ballRadius(sites[ball.atom]), fill: sites[ball.atom].color },
      ...{ stroke: "#000000", "stroke-opacity": 0.5, "stroke-width": 0.01 * reach, opacity: ball.ghost ? 0.4 : 1 },
    });
    const title = make("title", {});
    title.textContent = describe(scene, ball, labels).join("\n");
    element.append(title);
    parts.push({ depth, element });
  }
  svg.setAttribute("viewBox", `${-reach} ${-reach} ${2 * reach} ${2 * reach}`);
  svg.replaceChildren(...parts.sort((a, b) => a.depth - b.depth).map(({ element }) => element));
}

export function make<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
