import { type Tensor, zeros } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import type { SparseRows } from "../data/sparseRows.ts";
import { add, mul, segmentSum } from "../ops/index.ts";
import type { Linear } from "./linear.ts";
import { buffer, type Module, type Training } from "./module.ts";
import { neighboursOf } from "./selfLoops.ts";
import { linearRows } from "./sparse.ts";

/** Layers and functions one after the other, the first one linear. */
export type GinLayers = readonly [Linear, ...(Module | ((x: Tensor) => Tensor))[]];

/**
 * Graph isomorphism layer: vᵢ' = nn((1 + ε)·vᵢ + Σ vⱼ) over the neighbours j of i. Sums tell multisets apart that means and maxima
 * confuse. Xu et al., ICLR 2019. ε starts at 0 and is learned, unless `trainEps` is false. Names as in PyTorch Geometric.
 */
export class GinConv {
  readonly nn: GinLayers;
  /** [1] */
  readonly eps: Tensor;

  constructor(nn: GinLayers, { trainEps = true }: { trainEps?: boolean } = {}) {
    this.nn = nn;
    this.eps = trainEps ? zeros([1]) : buffer(zeros([1]));
  }

  /** x [nodes, in], dense or sparse → [nodes, out]. */
  forward(x: Tensor | SparseRows, graph: Graph, training?: Training): Tensor {
    const [{ weight, bias }, ...rest] = this.nn;
    // The linear layer goes first, a sum of products being the product of a sum: a sparse input stays sparse.
    const v = linearRows(x, weight);
    const sum = add(add(v, mul(v, this.eps)), segmentSum(v, { adj: neighboursOf(graph).adjacency }));
    const first = bias ? add(sum, bias) : sum;
    return rest.reduce<Tensor>(
      (y, layer) => (typeof layer === "function" ? layer(y) : layer.forward(y, training)),
      first,
    );
  }
}
