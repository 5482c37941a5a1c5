import { UserError } from "../core/errors.ts";

/**
 * NumPy's .npy: "\x93NUMPY", version, length of the header (u16 in version 1, u32 after), the header as a Python dictionary
 * `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, then the values.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */

/** Type letter and bytes of a value, as in NumPy without the byte order; b1 is bool, as 0 and 1. */
const VIEWS = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
  b1: Uint8Array,
};

export type NpyDtype = keyof typeof VIEWS;
export type NpyData = InstanceType<(typeof VIEWS)[NpyDtype]>;

export interface NpyArray {
  dtype: NpyDtype;
  shape: number[];
  /** Row-major, whatever the order in the file. */
  data: NpyData;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Reads an array of either byte order and either memory order. The values are copied out of `bytes`. `file` names the source in errors. */
export function decodeNpy(bytes: Uint8Array, { file = "npy" }: { file?: string } = {}): NpyArray {
  const fail = (why: string) => new UserError(`${file} is not a readable .npy file: ${why}.`);
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw fail('it does not start with "\\x93NUMPY"');
  const version = bytes[6];
  if (version < 1 || version > 3) throw fail(`its format version is ${version}, known are 1 to 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const begin = version === 1 ? 10 : 12;
  const end = begin + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > bytes.length) throw fail(`its header ends at byte ${end}, the file at ${bytes.length}`);

  const header = new TextDecoder().decode(bytes.subarray(begin, end));
  const descr = /['"]descr['"]\s*:\s*['"]([<>|=]?)(\w+)['"]/.exec(header);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(header)?.[1];
  const sizes = /['"]shape['"]\s*:\s*\(([\d,\sL]*)\)/.exec(header)?.[1];
  if (!descr) throw fail("its header names no simple type; structured arrays and objects cannot be read");
  const [, endian, dtype] = descr;
  if (!isDtype(dtype)) throw fail(`its type is "${dtype}"; readable are ${Object.keys(VIEWS).join(", ")}`);
  if (order === undefined || sizes === undefined) throw fail("its header names no shape or order");

  const shape = sizes
    .split(",")
    .filter((s) => s.trim() !== "")
    .map((s) => Number.parseInt(s, 10));
  const width = VIEWS[dtype].BYTES_PER_ELEMENT;
  const size = shape.reduce((product, n) => product * n, width);
  if (size !== bytes.length - end) {
    throw fail(`shape (${shape.join(", ")}) of ${dtype} needs ${size} bytes of data, it has ${bytes.length - end}`);
  }
  const values = new Uint8Array(bytes.subarray(end));
  if (endian === ">") swapBytes(values, width);
  const data = new VIEWS[dtype](values.buffer as ArrayBuffer);
  return { dtype, shape, data: order === "True" ? rowMajor(data, shape) : data };
}

/** Writes a row-major array, little-endian; the type follows from the array (Float32Array → f4 …). Version 2 only for very long headers. */
export function encodeNpy({ shape, data }: { shape: readonly number[]; data: NpyData }): Uint8Array {
  const dtype = (Object.keys(VIEWS) as NpyDtype[]).find((name) => data instanceof VIEWS[name]);
  const size = shape.reduce((product, n) => product * n, 1);
  if (dtype === undefined) throw new UserError("An array's data must be a typed array of numbers.");
  if (size !== data.length) {
    throw new UserError(`Shape (${shape.join(", ")}) has ${size} elements, the data ${data.length}.`);
  }
  const descr = `${data.BYTES_PER_ELEMENT === 1 ? "|" : "<"}${dtype}`;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The data starts at a multiple of 64 bytes, and the header ends with a newline.
  const short = text.length < 65_000;
  const start = short ? 10 : 12;
  const end = Math.ceil((start + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(end + data.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set([...MAGIC, short ? 1 : 2, 0]);
  if (short) view.setUint16(8, end - start, true);
  else view.setUint32(8, end - start, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(end - start - 1)}\n`), start);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), end);
  return bytes;
}

function isDtype(name: string): name is NpyDtype {
  return Object.hasOwn(VIEWS, name);
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}

/** Column-major → row-major: the first index of the input runs fastest, the last of the output. */
function rowMajor(data: NpyData, shape: readonly number[]): NpyData {
  const out = data.slice();
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, n) => product * n, 1));
  const index = shape.map(() => 0);
  for (let i = 0, from = 0; i < data.length; i++) {
    out[i] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}
