import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { crc32c, EventWriter } from "../../src/train/tfevents.ts";

/** The fields of a protocol buffer, in order: [number, value], value a number or bytes. */
function fields(bytes: Uint8Array): [number, number | Uint8Array][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out: [number, number | Uint8Array][] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const field = key >> 3;
    if ((key & 7) === 0) out.push([field, varint()]);
    else if ((key & 7) === 1) out.push([field, view.getFloat64((at += 8) - 8, true)]);
    else if ((key & 7) === 5) out.push([field, view.getFloat32((at += 4) - 4, true)]);
    else if ((key & 7) === 2) {
      const length = varint();
      out.push([field, bytes.subarray(at, (at += length))]);
    } else throw new Error(`wire type ${key & 7}`);
  }
  return out;
}

const text = (bytes: number | Uint8Array) => new TextDecoder().decode(bytes as Uint8Array);

/** A whole event file, every length and checksum checked. */
function decode(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const unmask = (masked: number) => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  const events = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmask(view.getUint32(at + 8, true))).toBe(crc32c(bytes.subarray(at, at + 8)));
    expect(unmask(view.getUint32(at + 12 + length, true))).toBe(crc32c(data));
    at += 16 + length;
    const event: { wallTime?: number; step?: number; version?: string; tag?: string; value?: number; status?: number } =
      {};
    for (const [field, value] of fields(data)) {
      if (field === 1) event.wallTime = value as number;
      else if (field === 2) event.step = value as number;
      else if (field === 3) event.version = text(value);
      else if (field === 7) event.status = fields(value as Uint8Array)[0][1] as number;
      else if (field === 5) {
        const [[one, inner], ...others] = fields(value as Uint8Array);
        expect([one, others]).toEqual([1, []]);
        const [[tagField, tag], [valueField, number]] = fields(inner as Uint8Array);
        expect([tagField, valueField]).toEqual([1, 2]);
        event.tag = text(tag);
        event.value = number as number;
      } else throw new Error(`field ${field}`);
    }
    events.push(event);
  }
  return events;
}

test("crc32c of the standard's examples", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

describe("EventWriter", () => {
  test("scalars of any size come back, after a version record, and only when flushed", () => {
    const pieces: Uint8Array[] = [];
    const writer = new EventWriter((bytes) => pieces.push(bytes), 1e9);
    writer.scalar("loss/train", 0.5, 0, 1e9 + 1);
    writer.scalar("Fehler/Prüfung µeV", Number.NaN, 300, 1e9 + 2);
    expect(pieces.length).toBe(0);
    writer.flush();
    writer.scalar("x".repeat(1000), -Infinity, 2 ** 40, 1e9 + 3);
    writer.flush();
    writer.flush();
    expect(pieces.length).toBe(2);
    expect(decode(Buffer.concat(pieces))).toEqual([
      { wallTime: 1e9, version: "brain.Event:2" },
      { wallTime: 1e9 + 1, step: 0, tag: "loss/train", value: 0.5 },
      { wallTime: 1e9 + 2, step: 300, tag: "Fehler/Prüfung µeV", value: Number.NaN },
      { wallTime: 1e9 + 3, step: 2 ** 40, tag: "x".repeat(1000), value: -Infinity },
    ]);
  });

  test("the bytes of one event, as TensorFlow writes them", () => {
    const pieces: Uint8Array[] = [];
    const writer = new EventWriter((bytes) => pieces.push(bytes), 0);
    writer.flush();
    writer.scalar("a", 1, 2, 0);
    writer.flush();
    expect(Buffer.from(pieces[1].subarray(12, -4)).toString("hex")).toBe(
      `09${"00".repeat(8)}` /* wall_time */ +
        "1002" /* step */ +
        "2a0a" +
        "0a08" +
        "0a0161" +
        "150000803f" /* summary */,
    );
  });

  test("every process has a file of its own; a resumed one says from where", async () => {
    const folder = fs.mkdtempSync(join(os.tmpdir(), "spinel-events-"));
    const directory = join(folder, "run/events");
    const first = await EventWriter.open(directory);
    first.scalar("loss", 1, 1);
    first.flush();
    const second = await EventWriter.open(directory, { resumeStep: 1 });
    second.scalar("loss", 2, 1);
    second.flush();
    const names = fs.readdirSync(directory).sort();
    expect(names.length).toBe(2);
    for (const name of names) expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\.[\w-]+\.\d+\.\d$/);
    const [one, two] = names.map((name) => decode(fs.readFileSync(join(directory, name))));
    expect(one.map(({ version, tag, value, status }) => version ?? tag ?? status ?? value)).toEqual([
      "brain.Event:2",
      "loss",
    ]);
    expect(two[1]).toMatchObject({ step: 1, status: 1 });
    expect(two[2]).toMatchObject({ step: 1, tag: "loss", value: 2 });

    fs.writeFileSync(join(folder, "file"), "");
    await expect(EventWriter.open(join(folder, "file"))).rejects.toThrow("a part of the path is a file");
    fs.rmSync(folder, { recursive: true });
    first.scalar("loss", 3, 2);
    expect(() => first.flush()).toThrow("there is no such file or folder");
  });
});
