/** What the commands that this program recommends begin with: npm's runners know it by no other name. */
export const PROGRAM = process.env.npm_execpath ? "npx spinel" : "spinel";

/** A path as it can be typed into a shell. */
export const quoted = (path: string): string =>
  /^[\p{L}\p{N}_./@%+=:,-]+$/u.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
