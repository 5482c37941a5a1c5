import { h } from "../kit/dom.ts";
import { type Input, select } from "../kit/inputs.ts";
import type { Theme } from "../kit/theme.ts";
import { FILTERS, KINDS, METHODS, type Method, type VisionState } from "./config.ts";
import type { Picture, Scene } from "./functions.ts";
import { LayerTable } from "./layerTable.ts";
import { colourPixels, MapView, reachOf, signedPixels } from "./mapView.ts";
import { likeliest, percent } from "./numbers.ts";
import { Probabilities } from "./probabilities.ts";
import type { Seen } from "./seeing.ts";

const METHOD_TEXT: Record<Method, string> = {
  gradCam: "Grad-CAM",
  saliency: "Saliency",
  occlusion: "Occlusion",
};
/** Numbers of a filter. */
const TAPS = 9;

/** The picture inside the network: its layers, their feature maps, its first filters, and where in the picture it sees a class. */
export class InsidePanel {
  readonly element: HTMLElement;
  private readonly hint = h(
    "p",
    { className: "note" },
    "There is no network yet: press play above. Then the picture at the top is classified, and all its layers can be seen.",
  );
  private readonly content: HTMLElement;
  private readonly layers: LayerTable;
  private readonly maps: MapView[];
  private readonly mapsTitle = h("h3");
  private readonly filters: MapView[];
  private readonly explanation = new MapView("Explanation");
  private readonly method: Input<Method>;
  private readonly explain: Input<VisionState["explain"]>;
  private readonly probabilities = new Probabilities();
  private readonly remark = h("p", { className: "note" });
  private theme: Theme | undefined;
  private scene: Scene | undefined;
  private picture: Picture | undefined;

  constructor(change: (changes: Partial<VisionState>) => void) {
    this.layers = new LayerTable((layer) => change({ layer }));
    this.maps = Array.from({ length: FILTERS }, (_, i) => new MapView(`Feature map ${i + 1}`));
    this.filters = Array.from({ length: FILTERS }, (_, i) => new MapView(`Filter ${i + 1}`));
    const methods = METHODS.map((method) => [method, METHOD_TEXT[method]] as const);
    this.method = select("Method", methods, (method) => change({ method }));
    this.explain = select(
      "Class",
      [["predicted", "predicted"], ...KINDS.map((kind) => [kind, kind] as const)] as const,
      (explain) => change({ explain }),
    );
    const buttons = this.filters.map((filter, i) => {
      const name = `Filter ${i + 1}: put it over the picture above`;
      const button = h("button", { type: "button", ariaLabel: name, title: name }, filter.element);
      button.onclick = () => change({ kernel: "learned", filter: i + 1 });
      return button;
    });
    this.content = h(
      "div",
      { className: "insides", hidden: true },
      h(
        "div",
        { className: "explained" },
        h("h3", {}, "Where the network sees the class"),
        this.explanation.element,
        h("div", { className: "pair" }, this.method.element, this.explain.element),
        this.remark,
        this.probabilities.element,
      ),
      h(
        "div",
        {},
        h("h3", {}, "Layers: choose one to see what it puts out"),
        h("div", { className: "scroll" }, this.layers.element),
        h("h3", {}, "Filters of the first layer: choose one to move it over the picture"),
        h("div", { className: "filters" }, ...buttons),
      ),
      h(
        "div",
        {},
        this.mapsTitle,
        h("div", { className: "maps" }, ...this.maps.map(({ element }) => element)),
        h(
          "p",
          { className: "note" },
          "Grey is 0, blue the largest of all ten: a rectifier has cut off what is negative.",
        ),
      ),
    );
    this.element = h(
      "section",
      { className: "card inside" },
      h("h2", {}, "Inside the network"),
      this.hint,
      this.content,
    );
  }

  showState({ method, explain, layer }: VisionState): void {
    this.method.show(method);
    this.explain.show(explain);
    this.layers.choose(layer);
  }

  restyle(theme: Theme): void {
    this.theme = theme;
    if (this.picture) this.draw(this.picture);
  }

  showScene(scene: Scene): void {
    if (scene.revision !== this.scene?.revision) {
      this.layers.show(scene.layers);
      this.probabilities.showClasses(scene.config.classes);
    }
    this.scene = scene;
    this.hint.hidden = true;
    this.content.hidden = false;
  }

  draw(picture: Picture): void {
    this.picture = picture;
    const { theme } = this;
    if (!theme) return;
    const { weight } = picture.filters;
    const reach = reachOf(weight);
    this.filters.forEach((filter, i) => {
      filter.draw(signedPixels(weight.slice(i * TAPS, (i + 1) * TAPS), reach, theme), Math.sqrt(TAPS));
    });
    if (picture.seen) this.drawSeen(picture.seen, theme);
    else
      this.remark.textContent =
        "The picture has another size than this network's images: reset for a network of the new size.";
  }

  private drawSeen({ view, probabilities, maps, explanation }: Seen, theme: Theme): void {
    const { classes } = this.scene!.config;
    const most = maps.reduce((reach, { data }) => Math.max(reach, reachOf(data)), 0);
    this.mapsTitle.textContent = `Feature maps of ${view.layer}, ${maps[0].side} × ${maps[0].side}`;
    this.maps.forEach((map, i) => {
      const { data, side } = maps[i];
      map.draw(signedPixels(data, most, theme), side);
      map.describe(`Feature map ${i + 1} of ${view.layer}: largest number ${reachOf(data).toFixed(2)}`);
    });
    const best = likeliest(probabilities);
    const explained = view.classIndex ?? best;
    this.explanation.draw(colourPixels(explanation), view.size);
    this.explanation.describe(`${METHOD_TEXT[view.method]} for ${classes[explained]} over the picture`);
    this.remark.textContent = `${METHOD_TEXT[view.method]} for "${classes[explained]}", ${percent(probabilities[explained])}: the brighter, the more it counts.`;
    this.probabilities.draw(probabilities);
  }
}
