/**
 * A mistake that the user can mend. The first line says what is wrong in the user's words (file, line, field, shapes or layer);
 * `hint`, when there is one likely cause, says how to mend it. The command line prints both and no stack.
 */
export class UserError extends Error {
  override name = "UserError";
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(hint ? `${message}\n  ${hint}` : message);
  }
}

/** Shapes that do not fit: `call([2, 3], [4]): why`. */
export class ShapeError extends UserError {
  override name = "ShapeError";
}

/** `matmul([32, 784], [10, 784]): inner sizes 784 and 10 differ.` */
export function mismatch(call: string, shapes: readonly (readonly number[])[], why: string, hint?: string): ShapeError {
  return new ShapeError(`${call}(${shapes.map((s) => `[${s.join(", ")}]`).join(", ")}): ${why}`, hint);
}
