import type { Leaderboard } from "./data.ts";
import { type Column, html, type Markup, number, table } from "./html.ts";
import { card } from "./sections.ts";

/** The run in its place among published results, each with a bar as long as its value. */
export function benchmarkSection({ name, score, unit, entries, note = "" }: Leaderboard): Markup {
  const longest = Math.max(...entries.map(({ value }) => value));
  const columns: Column<Leaderboard["entries"][number]>[] = [
    { title: "algorithm", cell: ({ algorithm }) => algorithm },
    { title: `${score}${unit ? ` (${unit})` : ""}`, cell: ({ value }) => number(value), numeric: true },
    { title: "± over folds", cell: ({ std }) => number(std), numeric: true },
    {
      title: "",
      cell: ({ value }) =>
        html`<meter min="0" max="${String(longest)}" value="${String(value)}" aria-hidden="true"></meter>`,
    },
  ];
  const content = table(columns, entries, {
    caption: `${name}: mean test ${score} over the official folds`,
    rowClass: ({ own }) => (own ? "own" : ""),
  });
  return card("Benchmark", `${name}: mean test ${score} over the official folds, best first. ${note}`, content, {
    wide: true,
  });
}
