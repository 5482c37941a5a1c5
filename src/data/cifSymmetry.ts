import { type Cell, type CifBlock, cellsOf, isBlank } from "./cifBlock.ts";
import { operationsFromHall } from "./hall.ts";
import type { Lattice } from "./lattice.ts";
import { quote } from "./open.ts";
import { numberFromHall, spaceGroupOperations, spaceGroupSettings } from "./spaceGroups.ts";
import {
  formatOperation,
  generateGroup,
  IDENTITY,
  keepsLattice,
  type Operation,
  OperationSet,
  parseOperation,
} from "./symmetry.ts";

const OPERATIONS = ["_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"];
const NUMBER = ["_space_group_IT_number", "_symmetry_Int_Tables_number"];
const HALL = ["_space_group_name_Hall", "_symmetry_space_group_name_Hall"];
const HERMANN_MAUGUIN = [
  "_space_group_name_H-M_alt",
  "_symmetry_space_group_name_H-M",
  "_space_group_name_H-M_ref",
  "_space_group_name_H-M_full",
];

/** 192 of F-centred cubes, times eight for a doubled cell. */
const MOST_OPERATIONS = 2000;

/** 1 … 230: what the block says, else what its symbols mean. */
export function readSpaceGroup(block: CifBlock): number | undefined {
  const given = block.text(...NUMBER);
  if (given) {
    const number = block.parse(given);
    if (Number.isInteger(number) && number >= 1 && number <= 230) return number;
    block.fail(given.line, `${given.name} is ${quote(given.text, 30)}: space groups are 1 … 230.`);
  }
  const hall = block.text(...HALL);
  const symbol = block.text(...HERMANN_MAUGUIN);
  return (hall && numberFromHall(hall.text)) ?? (symbol && spaceGroupSettings(symbol.text)[0]?.number);
}

/**
 * The symmetry operations of a block, the identity first: as listed, else from the Hall symbol, the Hermann–Mauguin symbol or the
 * number of its space group. A block that has nothing to say of symmetry lists all its atoms.
 *
 * @throws UserError for operations that are none, are no group or do not keep the lattice, unknown symbols, a symbol that leaves two
 *   origins to choose from, and symmetry that is said to be unknown
 */
export function readOperations(block: CifBlock, lattice: Lattice): Operation[] {
  const column = block.column(...OPERATIONS);
  const listed = column && joinPieces(cellsOf(column)).filter(({ text }) => !isBlank(text));
  if (listed && listed.length > 0) return readListed(block, listed, lattice);
  const hall = block.text(...HALL);
  const symbol = block.text(...HERMANN_MAUGUIN);
  const number = block.text(...NUMBER);
  if (symbol) checkNumber(block, symbol, spaceGroupSettings(symbol.text)[0]?.number);
  if (hall) {
    checkNumber(block, hall, numberFromHall(hall.text));
    const operations = block.at(hall.line, () => operationsFromHall(hall.text));
    if (keepsLattice(operations, lattice)) return operations;
    block.fail(hall.line, `the cell has not the symmetry of ${hall.name} ${quote(hall.text)}.`);
  }
  const source = symbol ?? number;
  if (!source) return withoutSymmetry(block);
  const which = symbol?.text ?? readSpaceGroup(block)!;
  return block.at(source.line, () => spaceGroupOperations(which, lattice));
}

/** The number in the file must be that of its symbol, or one of them is wrong. */
function checkNumber(block: CifBlock, symbol: Cell, meant: number | undefined): void {
  const number = block.text(...NUMBER);
  if (number && meant !== undefined && meant !== readSpaceGroup(block))
    block.fail(
      symbol.line,
      `${symbol.name} ${quote(symbol.text, 40)} is space group ${meant}, but ${number.name} is ${quote(number.text, 10)}.`,
      "List the symmetry operations (_space_group_symop_operation_xyz), or mend one of the two.",
    );
}

function withoutSymmetry(block: CifBlock): Operation[] {
  const column = block.column(...OPERATIONS, ...HERMANN_MAUGUIN, ...HALL, ...NUMBER);
  if (column)
    block.fail(column.line, `the symmetry is unknown: ${column.name} has no value.`, "Without symmetry it is 'P 1'.");
  const magnetic = block.beginning("_space_group_symop_magn") ?? block.beginning("_space_group_magn");
  if (magnetic)
    block.fail(
      magnetic.line,
      "the symmetry operations are magnetic ones only.",
      "List _space_group_symop_operation_xyz, too.",
    );
  return [IDENTITY];
}

function readListed(block: CifBlock, cells: readonly Cell[], lattice: Lattice): Operation[] {
  const { line, name } = cells[0];
  if (cells.length > MOST_OPERATIONS)
    block.fail(line, `${cells.length} symmetry operations: ${MOST_OPERATIONS} are the most.`);
  const set = new OperationSet([IDENTITY]);
  for (const cell of cells) {
    const operation = block.at(cell.line, () => parseOperation(cell.text));
    if (set.add(operation) && !keepsLattice([operation], lattice))
      block.fail(
        cell.line,
        `the operation ${quote(cell.text)} does not turn the cell into itself.`,
        "Are the edges and angles of the cell right?",
      );
  }
  const group = generateGroup(set.list, set.list.length);
  const missing = group.find((operation) => !set.has(operation));
  if (missing)
    block.fail(line, `the ${cells.length} operations of ${name} are no group: ${formatOperation(missing)} is missing.`);
  return set.list;
}

/** Operations that were to be quoted, x, y, z, come in pieces: those of one line belong together. */
function joinPieces(cells: readonly Cell[]): Cell[] {
  const whole = ({ text }: Cell) => text.split(",").length > 2;
  const lines = new Map<number, Cell[]>();
  for (const cell of cells) {
    const line = lines.get(cell.line);
    if (line) line.push(cell);
    else lines.set(cell.line, [cell]);
  }
  return [...lines.values()].flatMap((line) =>
    line.some(whole) ? line : [{ ...line[0], text: line.map(({ text }) => text).join(" ") }],
  );
}
