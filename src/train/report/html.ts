/** Text that is HTML already. Everything else that enters `html` is escaped, so no table's content can become markup or script. */
export class Markup {
  constructor(readonly text: string) {}
}

type Content = Markup | string | number | undefined | false | readonly Content[];

/** A template whose values are escaped, unless they are Markup. Lists are joined; undefined and false vanish. */
export function html(strings: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(strings.reduce((text, piece, i) => text + toText(values[i - 1]) + piece));
}

function toText(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "object") return content.map(toText).join("");
  return escapeText(String(content));
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]);
}

/** A script element. Inside one, only the sequences that would end it or start a comment need care. */
export function script(code: string): Markup {
  return new Markup(`<script>${code.replace(/<(?=\/script|!--)/gi, "\\x3c")}</script>`);
}

/** A style element; the sheet is our own. */
export function style(css: string): Markup {
  return new Markup(`<style>${css}</style>`);
}

/** Data for scripts, which read it by `JSON.parse` of the element's text. */
export function json(id: string, data: unknown): Markup {
  return new Markup(
    `<script type="application/json" id="${escapeText(id)}">${JSON.stringify(data).replaceAll("<", "\\u003c")}</script>`,
  );
}

/** Fe2O3 with subscripts: digits, also decimal, that follow a symbol or a bracket. */
export function formulaMarkup(formula: string): Markup {
  const pieces = formula.split(/(?<=[A-Za-z)\]])(\d+(?:\.\d+)?)/);
  return html`${pieces.map((piece, i) => (i % 2 ? html`<sub>${piece}</sub>` : piece))}`;
}

/** Four significant digits with a real minus sign; a dash for what is not a number. */
export function number(x: number | undefined): string {
  if (x === undefined || Number.isNaN(x)) return "–";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const magnitude = Math.abs(x);
  let text = "0";
  if (magnitude >= 1e7 || (magnitude > 0 && magnitude < 1e-4)) {
    const [mantissa, exponent] = x.toExponential(3).split("e");
    text = `${mantissa} × 10${superscript(exponent)}`;
  } else if (magnitude >= 1000) text = whole(Math.round(x));
  else if (magnitude > 0) text = x.toPrecision(4);
  return text.replace("-", "−");
}

/** 4,631,361 */
export function whole(x: number): string {
  return String(x).replace(/\B(?=(\d{3})+$)/g, ",");
}

function superscript(exponent: string): string {
  return [...exponent].map((c) => (c === "-" ? "⁻" : c === "+" ? "" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("");
}

export interface Column<Row> {
  title: string;
  cell: (row: Row) => Content;
  /** Numbers are set flush right. */
  numeric?: boolean;
}

/** A table in a frame that scrolls sideways where the screen is narrow. Rows of the same `group` stand under its name. */
export function table<Row>(
  columns: Column<Row>[],
  rows: readonly Row[],
  {
    caption,
    kind: tableKind,
    group,
    rowClass,
  }: { caption: string; kind?: string; group?: (row: Row) => string; rowClass?: (row: Row) => string },
): Markup {
  const kind = (column: Column<Row>) => column.numeric && html` class="n"`;
  const heading = (row: Row, i: number) =>
    group &&
    (i === 0 || group(row) !== group(rows[i - 1])) &&
    html`<tr class="group"><th scope="rowgroup" colspan="${columns.length}">${group(row)}</th></tr>\n`;
  const line = (row: Row) =>
    html`<tr class="${rowClass?.(row)}">${columns.map((c) => html`<td${kind(c)}>${c.cell(row)}</td>`)}</tr>\n`;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table${tableKind && html` class="${tableKind}"`}><caption>${caption}</caption>
<thead><tr>${columns.map((c) => html`<th scope="col"${kind(c)}>${c.title}</th>`)}</tr></thead>
<tbody>${rows.map((row, i) => [heading(row, i), line(row)])}</tbody></table></div>`;
}
