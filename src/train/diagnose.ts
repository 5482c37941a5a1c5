import type { Tensor } from "../core/tensor.ts";
import { stateDict } from "../nn/index.ts";

/** Where in a computation the first value that is not finite stands, in words: a weight by its name, or an op with its weights. */
export function firstNonFinite(result: Tensor, model: object): string | undefined {
  const names = new Map([...stateDict(model)].map(([name, tensor]) => [tensor, name]));
  for (const [tensor, name] of names) if (!isFiniteTensor(tensor)) return `in the weights ${name}`;
  const seen = new Set<Tensor>();
  const stack = [result];
  while (stack.length > 0) {
    const t = stack.pop()!;
    if (seen.has(t)) continue;
    seen.add(t);
    for (const input of t.node?.inputs ?? []) stack.push(input);
  }
  const leaves = [...seen].filter((t) => t.node === undefined && !names.has(t));
  if (leaves.some((t) => !isFiniteTensor(t))) return "in the input data or the targets";
  const first = [...seen]
    .filter((t) => t.node !== undefined && !isFiniteTensor(t))
    .sort((a, b) => a.node!.id - b.node!.id)[0];
  if (!first?.node) return undefined;
  const weights = first.node.inputs.flatMap((i) => names.get(i) ?? []);
  return `the output of ${first.node.rule.name}${weights.length ? ` with ${weights.join(", ")}` : ""}`;
}

const isFiniteTensor = (t: Tensor): boolean => t.data.every(Number.isFinite);
