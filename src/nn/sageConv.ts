import type { Rng } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import type { SparseRows } from "../data/sparseRows.ts";
import { add, relu, segmentMax, segmentMean } from "../ops/index.ts";
import { Linear } from "./linear.ts";
import { neighboursOf } from "./selfLoops.ts";
import { linearRows } from "./sparse.ts";

export interface SageConvOptions {
  /** "mean" of the neighbours, or "max" of what a layer and a rectifier make of each of them: the paper's pooling. */
  aggregator?: "mean" | "max";
}

/**
 * GraphSAGE: vᵢ' = W_l·aggregate(vⱼ) + b + W_r·vᵢ over the neighbours j of i. Hamilton, Ying, Leskovec, NeurIPS 2017, without sampling:
 * all neighbours count. A node without any sees 0 in their place. Names as in PyTorch Geometric.
 */
export class SageConv {
  /** Of the pooling, [in, in]. */
  readonly lin?: Linear;
  readonly lin_l: Linear;
  readonly lin_r: Linear;

  constructor(inputs: number, outputs: number, rng: Rng, { aggregator = "mean" }: SageConvOptions = {}) {
    if (aggregator === "max") this.lin = new Linear(inputs, inputs, rng);
    this.lin_l = new Linear(inputs, outputs, rng);
    this.lin_r = new Linear(inputs, outputs, rng, { bias: false });
  }

  /** x [nodes, in], dense or sparse → [nodes, out]. */
  forward(x: Tensor | SparseRows, graph: Graph): Tensor {
    const { adjacency: adj } = neighboursOf(graph);
    const own = linearRows(x, this.lin_r.weight);
    if (this.lin)
      return add(this.lin_l.forward(segmentMax(relu(linearRows(x, this.lin.weight, this.lin.bias)), { adj })), own);
    // The products' mean is the mean's product; first the product, so that a sparse input needs no mean, which would be dense.
    const received = segmentMean(linearRows(x, this.lin_l.weight), { adj });
    return add(add(received, this.lin_l.bias!), own);
  }
}
