import type { Rng } from "../core/random.ts";
import { emit, type Tensor, zeros } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import type { SparseRows } from "../data/sparseRows.ts";
import { add, mul, segmentSum } from "../ops/index.ts";
import { init } from "./init.ts";
import { Linear } from "./linear.ts";
import { withSelfLoops } from "./selfLoops.ts";
import { linearRows } from "./sparse.ts";

/** 1/√(degree of A + I) of each node, [nodes, 1]. */
function normaliser(ptr: ArrayLike<number>, nodes: number): Tensor {
  const degrees = Int32Array.from({ length: nodes }, (_, i) => ptr[i + 1] - ptr[i]);
  return emit([nodes, 1], ({ data }) => {
    for (let i = 0; i < nodes; i++) data[i] = 1 / Math.sqrt(degrees[i]);
  });
}

/**
 * Graph convolution: Â·X·Wᵀ (+ b), Â = D^(−½)(A + I)D^(−½), D the degrees of A + I. Kipf & Welling, ICLR 2017. Weights start Glorot
 * uniform. Â is never made: rows are scaled, summed over the neighbours, and scaled again.
 */
export class GcnConv {
  readonly lin: Linear;
  readonly bias?: Tensor;

  constructor(inputs: number, outputs: number, rng: Rng, { bias = true }: { bias?: boolean } = {}) {
    this.lin = new Linear(inputs, outputs, rng, { bias: false });
    this.lin.weight.set(init.xavierUniform([outputs, inputs], rng).data);
    if (bias) this.bias = zeros([outputs]);
  }

  /** x [nodes, in], dense or sparse → [nodes, out]. */
  forward(x: Tensor | SparseRows, graph: Graph): Tensor {
    const { adjacency } = withSelfLoops(graph);
    const scale = normaliser(adjacency.ptr.data, graph.nodes);
    const sent = mul(linearRows(x, this.lin.weight), scale);
    const y = mul(segmentSum(sent, { adj: adjacency }), scale);
    return this.bias ? add(y, this.bias) : y;
  }
}
