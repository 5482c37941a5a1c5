/** An SVG element with attributes. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number> = {},
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** The same with the text that is shown where it is pointed at. */
export function titled<E extends SVGElement>(element: E, text: string): E {
  const title = svg("title");
  title.textContent = text;
  element.append(title);
  return element;
}
