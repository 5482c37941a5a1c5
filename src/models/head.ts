import { Rng } from "../core/random.ts";
import { scope } from "../core/tensor.ts";
import { stateDict } from "../nn/index.ts";
import { type Architecture, buildModel } from "./build.ts";

/** The same network with another number of outputs; those that predict motion have positions for outputs, and keep them. */
export function withOutputs(architecture: Architecture, outputs: number): Architecture {
  if (architecture.model === "mlp") return { ...architecture, sizes: [...architecture.sizes.slice(0, -1), outputs] };
  return "outputs" in architecture ? { ...architecture, outputs } : architecture;
}

/**
 * The names of the weights that belong to a network's task and not to its body: all whose shape depends on the number of outputs.
 * That is fc_out of CGCNN, outnet.1 of SchNet, several weights of a last graph convolution, whatever they are called and wherever
 * they stand. A network with one output more is built to find out, and thrown away.
 */
export function headOf(architecture: Architecture): Set<string> {
  const shapes = (made: Architecture): Map<string, string> =>
    scope(() => new Map([...stateDict(buildModel(made, new Rng(0)))].map(([name, { shape }]) => [name, shape.join()])));
  const own = shapes(architecture);
  const other = shapes(withOutputs(architecture, outputsOf(architecture) + 1));
  return new Set([...own.keys()].filter((name) => own.get(name) !== other.get(name)));
}

/** How many numbers the network gives for a row. */
function outputsOf(architecture: Architecture): number {
  if (architecture.model === "mlp") return architecture.sizes.at(-1)!;
  return "outputs" in architecture ? architecture.outputs : 0;
}
