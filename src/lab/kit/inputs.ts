import { h } from "./dom.ts";

/** A labelled control: `show` sets it from the state, and its handler is called when a person changes it. */
export interface Input<T> {
  readonly element: HTMLElement;
  show(value: T): void;
}

interface Range {
  least: number;
  most: number;
  step?: number;
  unit?: string;
}

/** A slider with its value beside the label. */
export function slider(
  label: string,
  { least, most, step = 1, unit = "" }: Range,
  onInput: (value: number) => void,
): Input<number> {
  // Not an <output>: inside a label that would be what the label names.
  const value = h("b");
  const range = h("input", { type: "range", min: String(least), max: String(most), step: String(step) });
  const show = (x: number): void => {
    range.value = String(x);
    value.textContent = `${x}${unit}`;
    range.ariaValueText = `${x}${unit}`;
  };
  range.oninput = () => {
    show(range.valueAsNumber);
    onInput(range.valueAsNumber);
  };
  return { element: h("label", { className: "slider" }, h("span", {}, label, value), range), show };
}

/** A choice from a list of [value, what people read]. */
export function select<const T extends string | number>(
  label: string,
  options: readonly (readonly [value: T, text: string])[],
  onChange: (value: T) => void,
): Input<T> {
  const list = h(
    "select",
    { onchange: () => onChange(options[list.selectedIndex][0]) },
    ...options.map(([, text]) => h("option", {}, text)),
  );
  return {
    element: h("label", { className: "select" }, h("span", {}, label), list),
    show(value) {
      list.selectedIndex = options.findIndex(([v]) => v === value);
    },
  };
}

/** A checkbox. */
export function toggle(label: string, onChange: (on: boolean) => void): Input<boolean> {
  const box = h("input", { type: "checkbox", onchange: () => onChange(box.checked) });
  return {
    element: h("label", { className: "toggle" }, box, label),
    show(on) {
      box.checked = on;
    },
  };
}

/** A whole number to type; what is out of its limits is put back. */
export function numberField(label: string, { least, most }: Range, onChange: (value: number) => void): Input<number> {
  let shown = least;
  const field = h("input", { type: "number", min: String(least), max: String(most), step: "1" });
  const show = (value: number): void => {
    shown = value;
    field.value = String(value);
  };
  field.onchange = () => {
    const value = field.valueAsNumber;
    if (!(Number.isInteger(value) && value >= least && value <= most)) show(shown);
    else if (value !== shown) onChange((shown = value));
  };
  return { element: h("label", { className: "number" }, h("span", {}, label), field), show };
}

/** − and + around a count; `names` are what the two buttons do, for screen readers. */
export function stepper(
  { least, most }: Range,
  names: { less: string; more: string },
  text: (value: number) => string,
  onChange: (value: number) => void,
): Input<number> {
  let shown = least;
  const count = h("output");
  const change = (by: number) => (): void => onChange(shown + by);
  const less = h("button", { type: "button", ariaLabel: names.less, title: names.less, onclick: change(-1) }, "−");
  const more = h("button", { type: "button", ariaLabel: names.more, title: names.more, onclick: change(1) }, "+");
  return {
    element: h("div", { className: "stepper" }, less, count, more),
    show(value) {
      shown = value;
      count.textContent = text(value);
      less.disabled = value <= least;
      more.disabled = value >= most;
    },
  };
}

/** A group of pictures of which one is chosen; keyboards see radio buttons. */
export function pictures<const T extends string>(
  label: string,
  options: readonly (readonly [value: T, text: string, picture: HTMLElement])[],
  onChange: (value: T) => void,
): Input<T> {
  const name = `pictures-${label}`;
  const radios = options.map(([value]) => h("input", { type: "radio", name, onchange: () => onChange(value) }));
  const choices = options.map(([, text, picture], i) =>
    h("label", { title: text }, radios[i], picture, h("span", {}, text)),
  );
  return {
    element: h("fieldset", { className: "pictures" }, h("legend", {}, label), ...choices),
    show(value) {
      radios.forEach((radio, i) => {
        radio.checked = options[i][0] === value;
      });
    },
  };
}
