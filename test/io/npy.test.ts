import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { decodeNpy, encodeNpy, type NpyData } from "../../src/io/npy.ts";
import numpy from "../fixtures/npy.json" with { type: "json" };

describe("reads what NumPy writes", () => {
  test.each(Object.entries(numpy))("%s", (_name, { shape, values, file }) => {
    const array = decodeNpy(new Uint8Array(Buffer.from(file, "base64")));
    expect(array.shape).toEqual(shape);
    expect(Array.from(array.data as ArrayLike<number | bigint>, Number)).toEqual(values);
  });
});

test("writes what NumPy writes, byte for byte", () => {
  const write = (shape: number[], data: NpyData) => Buffer.from(encodeNpy({ shape, data })).toString("base64");
  expect(write([3, 4], Float32Array.from(numpy["C<f4"].values))).toBe(numpy["C<f4"].file);
  expect(write([3, 4], Float64Array.from(numpy["C<f8"].values))).toBe(numpy["C<f8"].file);
  expect(write([3, 4], Int32Array.from(numpy["C<i4"].values))).toBe(numpy["C<i4"].file);
  expect(write([3, 4], BigInt64Array.from(numpy["C<i8"].values, BigInt))).toBe(numpy["C<i8"].file);
  expect(write([3, 4], Uint8Array.from(numpy["C|u1"].values))).toBe(numpy["C|u1"].file);
  expect(write([], Float32Array.of(2.5))).toBe(numpy.scalar.file);
});

test("any array comes back the same", () => {
  const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(shapes, fc.constantFrom(Float32Array, Float64Array, Int16Array, Uint32Array), (shape, View) => {
      const size = shape.reduce((product, n) => product * n, 1);
      const data = View.from(Array.from({ length: size }, (_, i) => i * 1.5));
      const array = decodeNpy(encodeNpy({ shape, data }));
      expect(array.shape).toEqual(shape);
      expect(array.data).toEqual(data);
    }),
    { seed: 1 },
  );
});

test("a header too long for version 1 is written and read as version 2", () => {
  const shape = Array(30_000).fill(1);
  const bytes = encodeNpy({ shape, data: Float32Array.of(7) });
  expect(bytes[6]).toBe(2);
  expect(decodeNpy(bytes)).toEqual({ dtype: "f4", shape, data: Float32Array.of(7) });
});

describe("refuses", () => {
  const good = encodeNpy({ shape: [2], data: Float32Array.of(1, 2) });
  /** The good file with one text of its header replaced by another of the same length. */
  const changed = (from: string, to: string) =>
    new Uint8Array(Buffer.from(Buffer.from(good).toString("latin1").replace(from, to.padEnd(from.length)), "latin1"));
  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(), /does not start with/],
    [
      "another format",
      new TextEncoder().encode("id,formula,target\n"),
      /^x\.npy is not a readable \.npy file: it does not/,
    ],
    ["a new version", Uint8Array.from(good).fill(9, 6, 7), /version is 9/],
    ["a cut header", good.slice(0, 50), /its header ends at byte 128, the file at 50/],
    ["cut data", good.slice(0, -1), /shape \(2\) of f4 needs 8 bytes of data, it has 7/],
    ["half floats", changed("<f4", "<f2"), /its type is "f2"; readable are f4, f8/],
    ["objects", changed("'<f4'", "|O"), /structured arrays and objects/],
    ["no shape", changed("'shape'", "'shppe'"), /no shape or order/],
    ["a prototype's name", changed("'descr': '<f4', 'fortran", "'descr':'toString','fort"), /its type is "toString"/],
  ])("%s", (_name, bytes, message) => {
    expect(() => decodeNpy(bytes, { file: "x.npy" })).toThrow(UserError);
    expect(() => decodeNpy(bytes, { file: "x.npy" })).toThrow(message);
  });

  test("data that does not fit its shape", () => {
    expect(() => encodeNpy({ shape: [3], data: new Float32Array(2) })).toThrow("Shape (3) has 3 elements, the data 2.");
  });

  test("damaged files: an array that fits its shape, or a UserError", () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (place, byte, length) => {
        const bytes = good.slice(0, Math.max(length, 100));
        bytes[place] = byte;
        try {
          const { shape, data } = decodeNpy(bytes);
          expect(data.length).toBe(shape.reduce((product, n) => product * n, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { seed: 2, numRuns: 2000 },
    );
  });
});
