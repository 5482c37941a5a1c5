import { mountStructure, type ViewedStructure, type Viewer, type ViewerOptions } from "../../../src/viewer/index.ts";

declare global {
  interface Window {
    viewers: Viewer[];
    /** Puts a place of 300 × 300 pixels on the page and a viewer in it. */
    show(data: ViewedStructure, options?: ViewerOptions): void;
  }
}

window.viewers = [];
window.show = (data, options) => {
  const place = document.createElement("div");
  place.className = "place";
  document.body.append(place);
  window.viewers.push(mountStructure(place, data, options));
};
