import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/**
 * The rules that make a kernel safe to run on many threads, read from the built binaries themselves: a second instance on
 * shared memory would run data segments and the start function again, and would have mutable globals of its own.
 */
const VARIANTS = ["simd", "relaxed", "simd-threads", "relaxed-threads"];

const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, start: 8, data: 11, dataCount: 12 };
const KIND = ["function", "table", "memory", "global"];

/** Reads the binary format: bytes, LEB128 numbers, names. */
class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
  ) {}

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    return this.bytes[this.at++];
  }

  /** An unsigned number; in all that is read here below 2³². */
  number(): number {
    let [value, shift] = [0, 1];
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * shift;
      if (byte < 128) return value;
      shift *= 128;
    }
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.number()));
  }

  take(length: number): Uint8Array {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  list<T>(item: () => T): T[] {
    return Array.from({ length: this.number() }, item);
  }
}

/** Passes over a constant expression of one instruction. */
function skipConstant(reader: Reader): void {
  const wide: Record<number, number> = { 67: 4, 68: 8 }; // f32.const, f64.const; integers are LEB128
  const bytes = wide[reader.byte()];
  if (bytes) reader.take(bytes);
  else reader.number();
  expect(reader.byte()).toBe(0x0b);
}

interface Binary {
  sections: Map<number, Reader>;
  imports: { name: string; kind: string; shared: boolean }[];
  /** Number of parameters and of results of each exported function. */
  functions: { name: string; parameters: number; results: number }[];
  otherExports: string[];
}

function parse(file: URL): Binary {
  const all = new Reader(readFileSync(file));
  expect([...all.take(8)]).toEqual([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const sections = new Map<number, Reader>();
  while (!all.done) {
    const id = all.byte();
    sections.set(id, new Reader(all.take(all.number())));
  }
  const section = (id: number): Reader => sections.get(id) ?? new Reader(Uint8Array.of(0));
  const types = section(SECTION.type);
  const signatures = types.list(() => {
    expect(types.byte()).toBe(0x60);
    return { parameters: types.list(() => types.byte()).length, results: types.list(() => types.byte()).length };
  });
  const incoming = section(SECTION.import);
  const imports = incoming.list(() => {
    const name = `${incoming.name()}.${incoming.name()}`;
    const kind = KIND[incoming.byte()];
    if (kind !== "memory") return { name, kind, shared: false };
    const flags = incoming.number();
    incoming.number();
    if (flags & 1) incoming.number();
    return { name, kind, shared: (flags & 2) !== 0 };
  });
  const typeOf = section(SECTION.function);
  const bodies = typeOf.list(() => typeOf.number());
  const outgoing = section(SECTION.export);
  const functions: Binary["functions"] = [];
  const otherExports: string[] = [];
  outgoing.list(() => {
    const name = outgoing.name();
    const kind = KIND[outgoing.byte()];
    const index = outgoing.number();
    // No function is imported (tested below), so indices count the bodies.
    if (kind === "function") functions.push({ name, ...signatures[bodies[index]] });
    else otherExports.push(`${kind} ${name}`);
  });
  return { sections, imports, functions, otherExports };
}

describe.each(VARIANTS)("build/%s.wasm", (variant) => {
  const { sections, imports, functions, otherExports } = parse(new URL(`../../build/${variant}.wasm`, import.meta.url));

  test("imports one memory and nothing else", () => {
    const shared = variant.endsWith("threads");
    expect(imports).toEqual([{ name: "env.memory", kind: "memory", shared }]);
  });

  test("has no data segment", () => {
    expect(sections.get(SECTION.data)?.number() ?? 0).toBe(0);
    expect(sections.get(SECTION.dataCount)?.number() ?? 0).toBe(0);
  });

  test("has no mutable global", () => {
    const globals = sections.get(SECTION.global);
    const mutable = globals?.list(() => {
      globals.byte();
      const flag = globals.byte();
      skipConstant(globals);
      return flag;
    });
    expect(mutable?.filter((flag) => flag !== 0) ?? []).toEqual([]);
  });

  test("runs nothing at instantiation", () => {
    expect(sections.has(SECTION.start)).toBe(false);
  });

  test("exports kernels: functions of a range without a result", () => {
    expect(functions.length).toBeGreaterThan(90);
    expect(functions.filter(({ results }) => results !== 0)).toEqual([]);
    expect(functions.filter(({ parameters }) => parameters < 3)).toEqual([]);
    expect(otherExports).toEqual(otherExports.filter((name) => name === "memory memory"));
  });
});

test("all variants export the same kernels", () => {
  const names = VARIANTS.map((v) => parse(new URL(`../../build/${v}.wasm`, import.meta.url)).functions);
  for (const other of names.slice(1)) expect(other).toEqual(names[0]);
});
