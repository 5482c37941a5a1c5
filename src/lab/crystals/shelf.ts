import { h } from "../kit/dom.ts";
import { fileButton, type PathFile } from "../kit/files.ts";
import type { Entry } from "./functions.ts";
import type { Problem } from "./reading.ts";

export interface ShelfEvents {
  onFiles(files: PathFile[]): void;
  onSelect(key: string): void;
  onClear(): void;
}

/** More lines than anybody reads. */
const MOST_PROBLEMS = 100;

/** The left-hand column: where files come in, the structures there are, and what could not be read. */
export class Shelf {
  readonly element: HTMLElement;
  private readonly list = h("select", { size: 12, ariaLabel: "Structures" });
  private readonly files = h("optgroup", { label: "Your files" });
  private readonly gallery = h("optgroup", { label: "Prototypes" });
  private readonly rows = h("optgroup", { label: "From the validation data" });
  private readonly problems = h("ul");
  private readonly trouble = h("section", { className: "problems", hidden: true });
  private readonly summary = h("h3");
  private readonly clear: HTMLButtonElement;
  private found: Problem[] = [];

  constructor({ onFiles, onSelect, onClear }: ShelfEvents) {
    this.list.onchange = () => onSelect(this.list.value);
    this.clear = h("button", { type: "button", textContent: "Remove all files", hidden: true, onclick: onClear });
    this.trouble.append(this.summary, this.problems);
    this.element = h(
      "section",
      { className: "card shelf" },
      h("h2", {}, "Structures"),
      h(
        "div",
        { className: "drop" },
        h(
          "p",
          {},
          "Drop files or a folder here: CIF, POSCAR, extxyz, pymatgen JSON, zip; with id_prop.csv to train on.",
        ),
        h(
          "div",
          { className: "row" },
          fileButton("Choose files", { multiple: true }, onFiles),
          fileButton("Choose a folder", { folder: true }, onFiles),
        ),
        h(
          "p",
          { className: "private" },
          "Your files never leave this page: they are read and computed with on this machine.",
        ),
      ),
      this.list,
      this.clear,
      this.trouble,
    );
    this.list.append(this.gallery);
  }

  showGallery(entries: readonly Entry[]): void {
    this.gallery.replaceChildren(...entries.map(option));
  }

  addFiles(entries: readonly Entry[], problems: readonly Problem[]): void {
    this.files.append(...entries.map(option));
    if (this.files.children.length > 0) this.list.prepend(this.files);
    this.found = [...this.found, ...problems];
    this.showProblems();
    this.clear.hidden = this.files.children.length === 0 && this.found.length === 0;
  }

  clearFiles(): void {
    this.files.replaceChildren();
    this.files.remove();
    this.found = [];
    this.showProblems();
    this.clear.hidden = true;
  }

  /** Marks what is looked at; a row of the training data joins the list for as long. */
  select(entry: Entry): void {
    this.rows.remove();
    if (entry.key.startsWith("row:")) {
      this.rows.replaceChildren(option(entry));
      this.list.append(this.rows);
    }
    this.list.value = entry.key;
  }

  private showProblems(): void {
    const { found } = this;
    this.trouble.hidden = found.length === 0;
    this.summary.textContent = found.length === 1 ? "Not read" : `Not read: ${found.length}`;
    this.problems.replaceChildren(
      ...found.slice(0, MOST_PROBLEMS).map(({ file, message }) => h("li", {}, h("b", {}, file), ` ${message}`)),
      ...(found.length > MOST_PROBLEMS ? [h("li", {}, `and ${found.length - MOST_PROBLEMS} more`)] : []),
    );
  }
}

/** The name, with the formula where that does not say it. */
export const titleOf = ({ name, formula }: Entry): string => (name.includes(formula) ? name : `${name} · ${formula}`);

const option = (entry: Entry): HTMLOptionElement => {
  const title = titleOf(entry);
  return h("option", { value: entry.key, title: `${title}, ${entry.atoms} atoms` }, title);
};
