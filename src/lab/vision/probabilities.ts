import { h } from "../kit/dom.ts";
import { likeliest, percent } from "./numbers.ts";

/** A bar for each class, changed in place. */
export class Probabilities {
  readonly element = h("dl", { className: "probabilities" });
  private bars: { row: HTMLElement; value: HTMLElement }[] = [];

  /** `label` is the true class, where it is known. */
  showClasses(classes: readonly string[], label = -1): void {
    this.bars = classes.map((name, i) => {
      const value = h("dd", {}, "–");
      const row = h("div", { className: i === label ? "true" : "" }, h("dt", {}, name), value);
      return { row, value };
    });
    this.element.replaceChildren(...this.bars.map(({ row }) => row));
  }

  draw(probabilities: ArrayLike<number>): void {
    const best = likeliest(probabilities);
    this.bars.forEach(({ row, value }, i) => {
      row.classList.toggle("best", i === best);
      row.style.setProperty("--share", `${(100 * probabilities[i]).toFixed(1)}%`);
      value.textContent = percent(probabilities[i]);
    });
  }
}
