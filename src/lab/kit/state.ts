/**
 * A demo's controls as text: what its address holds after the "#", so that a view can be shared.
 * Reading never fails: a value that is missing or out of its limits gets its initial value, and its name is reported.
 */

export interface Field<T> {
  initial: T;
  /** The value that a text stands for, or undefined if it stands for none. */
  read(text: string): T | undefined;
  write(value: T): string;
}

export type Fields = Record<string, Field<unknown>>;
export type State<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** One of the given values. */
export function choice<const T extends string | number>(values: readonly T[], initial: NoInfer<T>): Field<T> {
  return { initial, read: (text) => values.find((value) => String(value) === text), write: String };
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number, initial: number): Field<number> {
  const read = (text: string): number | undefined => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : undefined;
  };
  return { initial, read, write: String };
}

/** A number from `least` to `most` with at most so many decimals. */
export function decimal(least: number, most: number, digits: number, initial: number): Field<number> {
  const pattern = new RegExp(`^\\d{1,9}(\\.\\d{1,${digits}})?$`);
  const read = (text: string): number | undefined => {
    const value = pattern.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : undefined;
  };
  return { initial, read, write: String };
}

export function flag(initial: boolean): Field<boolean> {
  return { initial, read: (text) => (text === "true" ? true : text === "false" ? false : undefined), write: String };
}

/** Values of one kind, separated by commas. */
export function list<T>(
  item: Field<T>,
  { least, most, distinct = false }: { least: number; most: number; distinct?: boolean },
  initial: readonly NoInfer<T>[],
): Field<readonly T[]> {
  const read = (text: string): readonly T[] | undefined => {
    const values = text === "" ? [] : text.split(",").map(item.read);
    const fits = values.length >= least && values.length <= most && values.every((value) => value !== undefined);
    return fits && !(distinct && new Set(values).size < values.length) ? values : undefined;
  };
  return { initial, read, write: (values) => values.map(item.write).join(",") };
}

/** The state that a query string holds, and the names of the fields whose values do not stand for any. */
export function readState<F extends Fields>(fields: F, query: string): { state: State<F>; rejected: string[] } {
  const given = new URLSearchParams(query);
  const rejected: string[] = [];
  const entries = Object.entries(fields).map(([name, { read, initial }]) => {
    const text = given.get(name);
    const value = text === null ? undefined : read(text);
    if (text !== null && value === undefined) rejected.push(name);
    return [name, value ?? initial];
  });
  return { state: Object.fromEntries(entries) as State<F>, rejected };
}

/** All fields, also those with their initial values: a shared view stays what it is when these change. */
export function writeState<F extends Fields>(fields: F, state: State<F>): string {
  return Object.entries(fields)
    .map(([name, { write }]) => `${name}=${encodeURIComponent(write(state[name as keyof F])).replaceAll("%2C", ",")}`)
    .join("&");
}
