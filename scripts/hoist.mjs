import binaryen from "assemblyscript/binaryen";

/**
 * Moves the v128 constants of every function that loops into locals set at its head. V8 (of Node 24; not of Node 20) builds such a
 * constant anew at each use, three instructions, in loops too, so that polynomials run at half speed; a local costs a register
 * or a load. Even where a loop has no register to spare this wins: V8 spills the constants, not what the loop works on.
 * 0 and −1 stay, they are one instruction. Must run after Binaryen's optimizer, which would put the constants back.
 */
export function hoistConstants(bytes) {
  const before = binaryen.readBinary(bytes);
  before.setFeatures(binaryen.Features.All);
  // The text is indented: an item of the module by one space, all that is inside it by more.
  const after = binaryen.parseText(before.emitText().replace(/^ \(func .*?(?=^ \))/gms, hoistInFunction));
  after.setFeatures(before.getFeatures());
  if (!after.validate()) throw new Error("hoistConstants made an invalid module");
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
