import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { init, Rng } from "../../src/index.ts";
import { encodeSafetensors, openSafetensors, type TensorToStore } from "../../src/io/safetensors.ts";
import { Linear, stateDict } from "../../src/nn/index.ts";
import { loadSafetensors } from "../../src/train/index.ts";

let folder: string;
beforeAll(async () => {
  await init({ threads: 2 });
  folder = mkdtempSync(join(tmpdir(), "spinel-weights-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const fresh = (): Linear => new Linear(3, 2, new Rng(1));
const weight = Float32Array.of(1, -2, 0.5, 3, 0, -0.25);
const bias = Float32Array.of(7, 8);
const values = ({ weight, bias }: Linear): number[] => [...weight.data, ...bias!.data];
const all = [...weight, ...bias];

const file = (tensors: Record<string, TensorToStore>): Uint8Array => encodeSafetensors(tensors);
const float32 = (): Uint8Array => file({ weight: { shape: [2, 3], data: weight }, bias: { shape: [2], data: bias } });

/** The file with both tensors as 16-bit words of a dtype. */
function halves(dtype: "F16" | "BF16", words: number[]): Uint8Array {
  const header = JSON.stringify({
    weight: { dtype, shape: [2, 3], data_offsets: [0, 12] },
    bias: { dtype, shape: [2], data_offsets: [12, 16] },
  }).padEnd(144);
  const bytes = new Uint8Array(8 + header.length + 16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  bytes.set(new Uint8Array(Uint16Array.from(words).buffer), 8 + header.length);
  return bytes;
}

describe("loadSafetensors", () => {
  test("from bytes, a path and a File", async () => {
    const path = join(folder, "linear.safetensors");
    writeFileSync(path, float32());
    for (const source of [float32(), path, new File([new Uint8Array(float32())], "linear.safetensors")]) {
      const model = fresh();
      await loadSafetensors(model, source);
      expect(values(model)).toEqual(all);
    }
  });

  test("half and double precision", async () => {
    const f16 = [0x3c00, 0xc000, 0x3800, 0x4200, 0, 0xb400, 0x4700, 0x4800];
    const bf16 = [0x3f80, 0xc000, 0x3f00, 0x4040, 0, 0xbe80, 0x40e0, 0x4100];
    const f64 = file({
      weight: { shape: [2, 3], data: Float64Array.from(weight) },
      bias: { shape: [2], data: Float64Array.from(bias) },
    });
    for (const bytes of [halves("F16", f16), halves("BF16", bf16), f64]) {
      const model = fresh();
      await loadSafetensors(model, bytes);
      expect(values(model)).toEqual(all);
    }
  });

  test("a tensor of several pieces", async () => {
    const large = Float32Array.from({ length: 2_500_001 }, (_, i) => i);
    const path = join(folder, "large.safetensors");
    writeFileSync(path, file({ large: { shape: [large.length], data: large } }));
    const model = { large: new Rng(1).uniform([large.length]) };
    await loadSafetensors(model, path);
    expect(model.large.data.every((value, i) => value === i)).toBe(true);
    const stored = await openSafetensors(path);
    const lengths: number[] = [];
    for await (const piece of stored.pieces("large")) lengths.push(piece.length);
    await stored.close();
    expect(lengths).toEqual([2 ** 20, 2 ** 20, large.length - 2 ** 21]);
  });

  test("what does not fit is listed whole before anything is changed", async () => {
    const model = fresh();
    const before = values(model);
    const other = file({ weight: { shape: [3, 2], data: weight }, head: { shape: [2], data: bias } });
    await expect(loadSafetensors(model, other)).rejects.toThrow(
      "These weights do not fit the model: missing: bias; unexpected: head; mis-shaped: weight is [3, 2], the model has [2, 3].",
    );
    expect(values(model)).toEqual(before);
    await loadSafetensors(model, other, { except: /^(weight|head|bias)$/ });
    expect(values(model)).toEqual(before);
    await loadSafetensors(model, float32(), { except: /^bias$/ });
    expect(values(model)).toEqual([...weight, ...before.slice(6)]);
  });

  test("broken and missing files are named", async () => {
    await expect(loadSafetensors(fresh(), join(folder, "none"))).rejects.toThrow("there is no such file");
    const cut = new File([new Uint8Array(float32().subarray(0, 150))], "cut.safetensors");
    await expect(loadSafetensors(fresh(), cut)).rejects.toThrow("cut.safetensors is not a valid safetensors file");
    await expect(loadSafetensors(fresh(), new Uint8Array(3), { file: "w.bin" })).rejects.toThrow(
      "w.bin is not a valid",
    );
  });

  test("a model's own tensors are written as they are", async () => {
    const model = fresh();
    const copy = fresh();
    model.weight.set(weight);
    await loadSafetensors(copy, encodeSafetensors(stateDict(model)));
    expect(values(copy)).toEqual(values(model));
  });
});
