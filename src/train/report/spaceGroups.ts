import { SPACE_GROUP_SETTINGS } from "../../data/spaceGroups.ts";
import { html, type Markup } from "./html.ts";

/** Each with the first of its space groups. */
const SYSTEMS = [
  ["triclinic", 1],
  ["monoclinic", 3],
  ["orthorhombic", 16],
  ["tetragonal", 75],
  ["trigonal", 143],
  ["hexagonal", 168],
  ["cubic", 195],
] as const;

/** In the order of their symmetry. */
export const CRYSTAL_SYSTEMS: readonly string[] = SYSTEMS.map(([name]) => name);

/** Of a space group 1 … 230. */
export function crystalSystem(spaceGroup: number): string | undefined {
  if (!symbolOf(spaceGroup)) return undefined;
  return SYSTEMS.filter(([, first]) => spaceGroup >= first).at(-1)?.[0];
}

/** The symbol, P4₂/mnm with its subscript and Fm3̄m with its line, and the number; the number alone where there is no such group. */
export function spaceGroupMarkup(spaceGroup: number): Markup {
  const symbol = symbolOf(spaceGroup);
  if (!symbol) return html`${spaceGroup}`;
  const pieces = symbol.map((piece) => {
    // A screw axis, 42/m, or a rotation with inversion, -3.
    const [, axis, screw, rest] = /^(\d)(\d)(.*)/.exec(piece) ?? [];
    if (axis) return html`${axis}<sub>${screw}</sub>${rest}`;
    return piece[0] === "-" ? html`<span class="over">${piece[1]}</span>${piece.slice(2)}` : piece;
  });
  return html`<span class="group">${pieces}</span> (${spaceGroup})`;
}

/** By its directions: ["F", "m", "-3", "m"]. The monoclinic groups are named by their one axis, P 21/c. */
function symbolOf(spaceGroup: number): string[] | undefined {
  const symbol = SPACE_GROUP_SETTINGS.find(({ number }) => number === spaceGroup)?.symbol;
  const pieces = symbol?.replace(/:.*/, "").split(" ");
  const monoclinic = spaceGroup >= 3 && spaceGroup <= 15;
  return monoclinic ? pieces?.filter((piece) => piece !== "1") : pieces;
}
