import { mountStructure, type ViewedStructure, type Viewer } from "../../viewer/index.ts";
import { h } from "../kit/dom.ts";
import type { CrystalsState } from "./config.ts";
import { fixed } from "./numbers.ts";
import type { Prediction } from "./predictions.ts";
import type { CrystalView } from "./view.ts";

/** More than this are a ball of wool. */
const MOST_EDGES = 4000;

/** The middle: the crystal in three dimensions with its neighbour graph, and what is known of it. */
export class CrystalPanel {
  readonly element: HTMLElement;
  private readonly title = h("h2");
  private readonly place = h("div", { className: "view" });
  private readonly note = h("p", { className: "note" });
  private readonly facts = h("dl", { className: "facts" });
  private readonly prediction = h("p", { className: "prediction" });
  private viewer: Viewer | undefined;

  constructor() {
    this.element = h(
      "section",
      { className: "card crystal" },
      this.title,
      this.place,
      this.note,
      this.prediction,
      this.facts,
    );
  }

  show(name: string, view: CrystalView, { edges, atom }: Pick<CrystalsState, "edges" | "atom">): void {
    const { numbers, positions, lattice, periodic, disorder, facts, neighbours } = view;
    const chosen = Math.min(atom, numbers.length) - 1;
    const drawn = edges === "none" ? undefined : edgesOf(neighbours, edges === "atom" ? chosen : undefined);
    const tooMany = drawn !== undefined && drawn.length > MOST_EDGES;
    const structure: ViewedStructure = {
      ...{ numbers, positions, lattice, periodic, disorder },
      edges: tooMany ? undefined : drawn,
      labels: Array.from(numbers, (_, i) => `${neighbours.ptr[i + 1] - neighbours.ptr[i]} neighbours`),
    };
    this.title.textContent = name;
    this.note.textContent = tooMany
      ? `${drawn.length.toLocaleString("en")} edges are too many to draw: these are bonds.`
      : edges === "none"
        ? "Drawn: bonds."
        : "Faint atoms are images in neighbouring cells.";
    if (this.viewer) this.viewer.update(structure);
    else this.viewer = mountStructure(this.place, structure);
    this.viewer.highlight(chosen);
    this.facts.replaceChildren(...facts.map(([key, value]) => h("div", {}, h("dt", {}, key), h("dd", {}, value))));
  }

  /** What the network says of it, and what is true where that is known. */
  showPrediction(found: Prediction | undefined, unit: string, source: string, target?: number): void {
    if (!found) this.prediction.textContent = "";
    else if (found.problem !== undefined) this.prediction.textContent = `No prediction: ${found.problem}`;
    else {
      const value = found.value!;
      const error = target === undefined ? "" : `; true: ${fixed(target)}, error ${fixed(value - target)}`;
      this.prediction.replaceChildren(h("b", {}, `${fixed(value)}${unit}`), ` ${source}${error}`);
    }
  }

  destroy(): void {
    this.viewer?.dispose();
  }
}

/** As the viewer takes them; of one atom, or of all. */
function edgesOf(
  { ptr, index, image }: CrystalView["neighbours"],
  atom?: number,
): NonNullable<ViewedStructure["edges"]> {
  const edges: [number, number, number, number, number][] = [];
  const [first, last] = atom === undefined ? [0, ptr.length - 1] : [atom, atom + 1];
  for (let i = first; i < last; i++)
    for (let e = ptr[i]; e < ptr[i + 1]; e++)
      edges.push([i, index[e], image[3 * e], image[3 * e + 1], image[3 * e + 2]]);
  return edges;
}
