import { readFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";
import { expect, test } from "vitest";

test.each(["simd", "relaxed", "simd-threads", "relaxed-threads"])(
  "build/%s.wasm: no function that loops builds a v128 constant but 0 and −1 after its head",
  (variant) => {
    const module = binaryen.readBinary(readFileSync(new URL(`../../build/${variant}.wasm`, import.meta.url)));
    const functions = module.emitText().match(/^ \(func .*?(?=^ \))/gms) ?? [];
    module.dispose();
    const looping = functions.filter((text) => text.includes("(loop"));
    expect(looping.length).toBeGreaterThan(50);
    const late = looping.flatMap((text) => text.slice(text.indexOf("(loop")).match(/v128\.const [^)]*/g) ?? []);
    expect(late.filter((constant) => !/i32x4( 0x00000000){4}|i32x4( 0xffffffff){4}/.test(constant))).toEqual([]);
    const all = functions.join("").match(/v128\.const/g) ?? [];
    expect(all.length, "the polynomials' coefficients are found at all").toBeGreaterThan(200);
  },
);
