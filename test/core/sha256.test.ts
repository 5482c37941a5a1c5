import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256 } from "../../src/core/sha256.ts";

test("FIPS 180-4: the digests of the empty text and of abc", () => {
  expect(sha256("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("texts of every length around a block agree with Node's digest", () => {
  for (let length = 0; length < 200; length++) {
    const text = "aé€😀".repeat(length).slice(0, length);
    expect(sha256(text), `${length} characters`).toBe(createHash("sha256").update(text).digest("hex"));
  }
});
