import { Chart } from "../kit/chart.ts";
import { h } from "../kit/dom.ts";
import { select, slider } from "../kit/inputs.ts";
import { svg, titled } from "../kit/svg.ts";
import type { GraphsState } from "./config.ts";
import type { Overlay } from "./editor.ts";
import { short } from "./numbers.ts";
import { AGGREGATION_TEXT, KINDS, STEPS, UPDATE_TEXT, type Update } from "./options.ts";
import type { Passing } from "./passing.ts";

/** Below this share of the first spread, the nodes have become the same. */
const SMOOTH = 0.1;

/** Message passing, phase by phase: what is gathered, what becomes of it, and how alike the nodes are in the end. */
export class PassingPanel {
  readonly element: HTMLElement;
  private readonly aggregation;
  private readonly update;
  private readonly phase;
  private readonly previous = h("button", { type: "button", textContent: "Back" });
  private readonly next = h("button", { type: "button", textContent: "Next" });
  private readonly sentence = h("p", { className: "sentence", ariaLive: "polite" });
  private readonly reach = h("p", { className: "note reach" });
  private readonly body = h("tbody");
  private readonly heads = ["Node", "Value", "Receives", "a", "New value"].map((text) =>
    h("th", { scope: "col" }, text),
  );
  private readonly spread = new Chart({ x: "step", y: "spread" }, { width: 300, height: 120 });
  private readonly smooth = h("p", { className: "note" });
  private state: Pick<GraphsState, "aggregation" | "update" | "phase"> | undefined;
  private passing: Passing | undefined;

  constructor(change: (changes: Partial<GraphsState>) => void) {
    const updates = (Object.keys(UPDATE_TEXT) as Update[]).map((key) => [key, UPDATE_TEXT[key]] as const);
    this.aggregation = select(
      "Aggregation a",
      KINDS.map((kind) => [kind, AGGREGATION_TEXT[kind]] as const),
      (aggregation) => change({ aggregation }),
    );
    this.update = select("Update of a value v", updates, (update) => change({ update }));
    this.phase = slider("Phase", { least: 0, most: 3 * STEPS }, (phase) => change({ phase }));
    const go = (by: number) => (): void => change({ phase: this.state!.phase + by });
    this.previous.onclick = go(-1);
    this.next.onclick = go(1);
    this.element = h(
      "section",
      { className: "card passing" },
      h("h2", {}, "Message passing, as numbers"),
      h("div", { className: "fields" }, this.aggregation.element, this.update.element),
      h("div", { className: "phases" }, this.previous, this.phase.element, this.next),
      this.sentence,
      this.reach,
      h("div", { className: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...this.heads)), this.body)),
      h("h3", {}, "Standard deviation of the values"),
      this.spread.element,
      this.smooth,
    );
  }

  /** Where the message passing stands: the step, and how much of it is done (0 … 3). */
  private get moment(): { step: number; done: number } {
    const { phase } = this.state!;
    return phase === 0 ? { step: 1, done: 0 } : { step: Math.ceil(phase / 3), done: ((phase - 1) % 3) + 1 };
  }

  showState(state: GraphsState): void {
    this.state = state;
    const { aggregation, update, phase } = state;
    this.aggregation.show(aggregation);
    this.update.show(update);
    this.phase.show(phase);
    this.previous.disabled = phase === 0;
    this.next.disabled = phase === 3 * STEPS;
  }

  /** Steps whose messages have arrived: how far a node has heard. */
  get hops(): number {
    const { step, done } = this.moment;
    return done === 0 ? 0 : step;
  }

  show(passing: Passing): void {
    this.passing = passing;
    const { step, done } = this.moment;
    const { aggregation, update } = this.state!;
    const name = AGGREGATION_TEXT[aggregation];
    const sentences = [
      "Before the first step: each node has its own number.",
      `Step ${step} of ${STEPS}, gather: each node receives its neighbours' numbers along its edges.`,
      `Step ${step} of ${STEPS}, aggregate: what a node has received becomes one number a, the ${name}.`,
      `Step ${step} of ${STEPS}, update: ${UPDATE_TEXT[update]}.`,
    ];
    this.sentence.textContent = sentences[done];
    this.heads[3].textContent = `a: ${aggregation}`;
    this.showTable(step, done);
    this.showSpread(done === 3 ? step : step - 1);
  }

  /** What belongs on the drawing now. */
  get overlay(): Overlay | undefined {
    if (!this.passing) return undefined;
    const { step, done } = this.moment;
    const { values, aggregates, sender, receiver } = this.passing;
    const before = values[step - 1];
    const scale = values[0].reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
    const messages = Array.from(sender, (from, e) => ({ from, to: receiver[e], value: before[from] }));
    const { aggregation } = this.state!;
    return {
      values: done === 3 ? values[step] : before,
      scale,
      ...(done === 1 ? { messages } : {}),
      ...(done === 2 ? { notes: { values: aggregates[step - 1] ?? [], name: AGGREGATION_TEXT[aggregation] } } : {}),
    };
  }

  /** Nodes that one has heard of, itself among them, after the steps so far. */
  near(node: number): Set<number> {
    const hops = this.passing?.hops ?? new Int32Array();
    const n = Math.sqrt(hops.length);
    const found = new Set([node]);
    for (let j = 0; j < n; j++) {
      const away = hops[node * n + j];
      if (away >= 0 && away <= this.hops) found.add(j);
    }
    return found;
  }

  /** In words, whom a node that is pointed at has heard of. */
  sayReach(node: number | undefined): void {
    const { hops } = this;
    const steps = `${hops} ${hops === 1 ? "step" : "steps"}`;
    if (node === undefined) {
      this.reach.textContent = "Point at a node to see how far it has heard.";
      return;
    }
    const others = [...this.near(node)].filter((j) => j !== node).map((j) => j + 1);
    const whom = others.length === 0 ? "nobody but itself" : `nodes ${others.join(", ")}`;
    this.reach.textContent = `After ${steps}, node ${node + 1} has heard of ${whom}.`;
  }

  private showTable(step: number, done: number): void {
    const { values, aggregates, sender, receiver } = this.passing!;
    const [before, after, received] = [values[step - 1], values[step], aggregates[step - 1]];
    const rows = Array.from(before, (value, i) => {
      const messages = Array.from(sender)
        .filter((_, e) => receiver[e] === i)
        .sort((a, b) => a - b);
      const texts = [
        String(i + 1),
        short(value),
        done >= 1 ? messages.map((j) => short(before[j])).join(", ") || "nothing" : "",
        done >= 2 ? short(received[i]) : "",
        done >= 3 ? short(after[i]) : "",
      ];
      return h("tr", {}, ...texts.map((text) => h("td", {}, text)));
    });
    this.body.replaceChildren(...rows);
  }

  private showSpread(now: number): void {
    const { spread } = this.passing!;
    const top = spread.reduce((most, x) => Math.max(most, x), 1e-6);
    const texts = spread.map((x, i) => `step ${i}: ${short(x)}`);
    this.spread.draw(
      `Standard deviation of the nodes' values. ${texts.join(", ")}`,
      [-0.2, STEPS + 0.2],
      [0, 1.1 * top],
      ({ x, y }) => [
        svg("polyline", { class: "spread", points: spread.map((s, i) => `${x(i)},${y(s)}`).join(" ") }),
        ...spread.map((s, i) =>
          titled(
            svg("circle", { class: i === now ? "dot marked" : "dot", cx: x(i), cy: y(s), r: i === now ? 5 : 3.5 }),
            texts[i],
          ),
        ),
      ],
    );
    const [first, last] = [spread[0], spread.at(-1)!];
    this.smooth.textContent =
      first === 0
        ? "All nodes begin with the same value."
        : last < SMOOTH * first
          ? `Over-smoothing: after ${STEPS} steps the nodes are nearly all the same, ${short((100 * last) / first)} % of their first spread is left.`
          : `After ${STEPS} steps the spread is ${short(last / first)} times the first.`;
  }
}
