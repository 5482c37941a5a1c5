/** Public data sets by name: which there are, where they are kept, and getting them. */

import { UserError } from "../core/errors.ts";
import { type DatasetEntry, datasets } from "./datasets.ts";
import { type DownloadOptions, download, sha256File } from "./download.ts";
import { nearest } from "./open.ts";

/** The entry called `name`. */
export function findDataset(name: string): DatasetEntry {
  const entry = datasets.find((d) => d.name === name);
  if (entry) return entry;
  const near = nearest(
    name,
    datasets.map((d) => d.name),
  );
  throw new UserError(
    `There is no data set ${JSON.stringify(name)}.`,
    near ? `Did you mean ${near}?` : `There are ${datasets.map((d) => d.name).join(", ")}.`,
  );
}

/** Where downloads are kept: SPINEL_DATA, or the folder "spinel" among the user's caches. */
export async function dataDirectory(): Promise<string> {
  const { homedir } = await import("node:os");
  const { isAbsolute, join } = await import("node:path");
  const { SPINEL_DATA, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (SPINEL_DATA) return SPINEL_DATA;
  // The XDG specification: a relative path counts as not set.
  if (XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, "spinel");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "spinel");
  if (process.platform === "win32" && LOCALAPPDATA) return join(LOCALAPPDATA, "spinel");
  return join(homedir(), ".cache", "spinel");
}

/** Every entry with the path that its file has, and whether it is there. */
export async function listDatasets({
  directory,
}: {
  directory?: string;
} = {}): Promise<(DatasetEntry & { path: string; downloaded: boolean })[]> {
  const { existsSync } = await import("node:fs");
  const { join } = await import("node:path");
  const folder = directory ?? (await dataDirectory());
  return datasets.map((entry) => {
    const path = join(folder, entry.file);
    return { ...entry, path, downloaded: existsSync(path) };
  });
}

export interface GetOptions extends Omit<DownloadOptions, "to" | "sha256"> {
  /** Default: `dataDirectory()`. */
  directory?: string;
  /** A mirror: a folder on the web that holds the same files under their names here. */
  baseUrl?: string;
}

/**
 * The path of a data set's file, which is downloaded first unless it is there already.
 *
 * @param which  a name of the registry, or an entry of one's own
 * @throws UserError for an unknown name, for whatever stops the download, and when the file that is there is not the one published
 */
export async function getDataset(which: string | DatasetEntry, options: GetOptions = {}): Promise<string> {
  const entry = typeof which === "string" ? findDataset(which) : which;
  const { existsSync } = await import("node:fs");
  const { join } = await import("node:path");
  const { directory = await dataDirectory(), baseUrl, ...rest } = options;
  const path = join(directory, entry.file);
  if (existsSync(path)) {
    const actual = await sha256File(path);
    if (actual === entry.sha256) return path;
    throw new UserError(
      `${path} is not ${entry.name} as published: its sha256 is ${actual}, not ${entry.sha256}.`,
      "It was changed or damaged. Move it away, then run the same again to download it.",
    );
  }
  await download(baseUrl ? `${baseUrl.replace(/\/$/, "")}/${entry.file}` : entry.url, {
    ...rest,
    to: path,
    sha256: entry.sha256,
  });
  return path;
}
