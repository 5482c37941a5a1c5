import { svg } from "./svg.ts";

/** Outlines on a 24 × 24 field. */
const PATHS = {
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  step: "M6 5v14l9-7zM16 5h3v14h-3z",
  reset: "M12 5V1L7 6l5 5V7a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z",
};
export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGElement {
  const picture = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
  picture.append(svg("path", { d: PATHS[name] }));
  return picture;
}
