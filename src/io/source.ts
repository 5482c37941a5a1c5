import { UserError } from "../core/errors.ts";
import { fileError } from "./files.ts";

/** Bytes that can be read from any place on: a path (Node), a Blob or File (browsers), or an array. */
export type ByteSource = string | Blob | Uint8Array;

/** An open source. Only what is asked for is read. */
export interface ByteReader {
  /** What to call it in messages. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Fills `into` with the bytes from `begin` on. */
  read(begin: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

const done = async (): Promise<void> => undefined;

/** Opens a source; `name` is what messages call it, by default its path or file name. */
export async function openBytes(source: ByteSource, name?: string): Promise<ByteReader> {
  if (typeof source === "string") return openFile(source, name ?? source);
  if (source instanceof Uint8Array)
    return {
      name: name ?? "input",
      size: source.length,
      read: async (begin, into) => into.set(source.subarray(begin, begin + into.length)),
      close: done,
    };
  return {
    name: name ?? (source as Partial<File>).name ?? "input",
    size: source.size,
    read: async (begin, into) => into.set(new Uint8Array(await source.slice(begin, begin + into.length).arrayBuffer())),
    close: done,
  };
}

async function openFile(path: string, name: string): Promise<ByteReader> {
  const { open } = await import("node:fs/promises");
  const handle = await open(path).catch((error) => {
    throw fileError(path, error);
  });
  const read = async (begin: number, into: Uint8Array): Promise<void> => {
    for (let got = 0; got < into.length; ) {
      const length = Math.min(into.length - got, 1 << 28);
      const { bytesRead } = await handle.read(into, got, length, begin + got).catch((error) => {
        throw fileError(path, error);
      });
      if (bytesRead === 0) throw new UserError(`${name}: the file became shorter while it was read.`);
      got += bytesRead;
    }
  };
  try {
    return { name, size: (await handle.stat()).size, read, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw fileError(path, error);
  }
}
