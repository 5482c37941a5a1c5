import { h } from "./dom.ts";

/** A file and its path, which begins with the folder that was given. */
export interface PathFile {
  file: File;
  path: string;
}

/** A button that asks for files, or for a folder with all that is in it. */
export function fileButton(
  label: string,
  { folder = false, multiple = false, accept = "" }: { folder?: boolean; multiple?: boolean; accept?: string },
  onFiles: (files: PathFile[]) => void,
): HTMLElement {
  const input = h("input", { type: "file", multiple, accept, webkitdirectory: folder, hidden: true, ariaLabel: label });
  input.onchange = () => {
    const files = Array.from(input.files ?? [], (file) => ({ file, path: file.webkitRelativePath || file.name }));
    // So that the same file may be chosen again.
    input.value = "";
    if (files.length > 0) onFiles(files);
  };
  const button = h("button", { type: "button", textContent: label, onclick: () => input.click() });
  return h("span", { className: "file" }, button, input);
}

/** Takes files and folders that are dropped on an element; while they hover it has the class "dropping". Returns the way to end it. */
export function acceptDrops(element: HTMLElement, onFiles: (files: PathFile[]) => void): () => void {
  const events = new AbortController();
  const { signal } = events;
  const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes("Files") ?? false;
  element.addEventListener(
    "dragover",
    (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.dataTransfer!.dropEffect = "copy";
      element.classList.add("dropping");
    },
    { signal },
  );
  element.addEventListener(
    "dragleave",
    ({ relatedTarget }) => {
      if (!element.contains(relatedTarget as Node | null)) element.classList.remove("dropping");
    },
    { signal },
  );
  element.addEventListener(
    "drop",
    async (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      element.classList.remove("dropping");
      onFiles(await dropped(event.dataTransfer!));
    },
    { signal },
  );
  return () => events.abort();
}

/** All files of a drop. The items must be looked at before anything is waited for: after that the list is empty. */
async function dropped({ items }: DataTransfer): Promise<PathFile[]> {
  const found = Array.from(items, (item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const files: PathFile[] = [];
  for (const { entry, file } of found) {
    if (entry?.isDirectory) await walk(entry as FileSystemDirectoryEntry, files);
    else if (file) files.push({ file, path: file.name });
  }
  return files;
}

async function walk(folder: FileSystemDirectoryEntry, files: PathFile[]): Promise<void> {
  const reader = folder.createReader();
  const next = (): Promise<FileSystemEntry[]> => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  // A reader gives a hundred entries at a time.
  for (let entries = await next(); entries.length > 0; entries = await next())
    for (const entry of entries) {
      if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, files);
      else {
        const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
        files.push({ file, path: entry.fullPath.replace(/^\//, "") });
      }
    }
}
