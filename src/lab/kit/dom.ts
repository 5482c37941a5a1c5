type Properties<E> = Partial<Omit<E, "style" | "children">>;

/** An element with properties and children: `h("button", { onclick: play }, "Play")`. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Calls `draw` now and whenever the element's size changes. */
export function onResize(element: Element, draw: () => void): ResizeObserver {
  const observer = new ResizeObserver(draw);
  observer.observe(element);
  return observer;
}
