// What is done to the kernels after the compiler.
import binaryen from "assemblyscript/binaryen";

/**
 * Moves the v128 constants of every function that loops into locals set at its head. V8 (of Node 24; not of Node 20) builds such a
 * constant anew at each use, three instructions, in loops too, so that polynomials run at half speed; a local costs a register
 * or a load. Even where a loop has no register to spare this wins: V8 spills the constants, not what the loop works on.
 * 0 and −1 stay, they are one instruction. Must run after Binaryen's optimizer, which would put the constants back.
 */
export function hoistConstants(bytes) {
  // The text is indented: an item of the module by one space, all that is inside it by more.
  return rewrite(bytes, (text) => text.replace(/^ \(func .*?(?=^ \))/gms, hoistInFunction));
}

/** The same module on a shared memory, for threads: no kernel is compiled otherwise for that. */
export function shareMemory(bytes) {
  return rewrite(bytes, (text) => {
    const shared = text.replace(/(\(memory \S+ \d+)(\)\))/, "$1 65536 shared$2");
    if (shared === text) throw new Error("shareMemory found no imported memory");
    return shared;
  });
}

function rewrite(bytes, change) {
  const before = binaryen.readBinary(bytes);
  before.setFeatures(binaryen.Features.All);
  const after = binaryen.parseText(change(before.emitText()));
  after.setFeatures(binaryen.Features.All);
  if (!after.validate()) throw new Error("the rewritten kernels are not valid");
  const result = after.emitBinary();
  before.dispose();
  after.dispose();
  return result;
}

function hoistInFunction(text) {
  if (!text.includes("(loop")) return text;
  const names = new Map();
  const hoisted = text.replace(/\(v128\.const i32x4 ([^)]*)\)/g, (constant, lanes) => {
    if (/^((0x00000000|0xffffffff) ?)\1{3}$/.test(`${lanes} `)) return constant;
    if (!names.has(constant)) names.set(constant, `$constant${names.size}`);
    return `(local.get ${names.get(constant)})`;
  });
  const lines = [...names].map(([constant, name]) => [`(local ${name} v128)\n`, `(local.set ${name} ${constant})\n`]);
  // Where the signature's line and those of the function's own locals end.
  const head = hoisted.match(/^.*\n( +\(local .*\n)*/)[0];
  return (
    head + lines.map(([local]) => local).join("") + lines.map(([, set]) => set).join("") + hoisted.slice(head.length)
  );
}
