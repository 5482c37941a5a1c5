import { createRequire } from "node:module";

/** The package's version: package.json lies one folder above dist/. */
export const version: string = createRequire(import.meta.url)("../package.json").version;
