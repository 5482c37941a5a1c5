import type { Graph } from "../../src/data/graph.ts";
import { type NeighbourList, neighbourList } from "../../src/data/neighbours.ts";
import type { Structure } from "../../src/data/structure.ts";
import { type Tensor, tensor } from "../../src/index.ts";
import { cosineCutoff, type Module } from "../../src/nn/index.ts";
import { distances, exp, mul, neg, reshape, segmentSum, square, sub, take, tanh } from "../../src/ops/index.ts";

/** Å */
export const CUTOFF = 3;

/**
 * A small many-body potential made of ops, smooth at the cutoff: Eᵢ = depth·(ρᵢ² − 2·tanh ρᵢ), ρᵢ = Σⱼ qⱼ·e^(−r)·cut(r). It is to
 * forces what a neural network is, with two parameters that mean something.
 */
export class TinyPotential implements Module<[graph: Graph]> {
  /** q of the elements 0 … 99 [100, 1]. */
  readonly charge = tensor(Float32Array.from(CHARGES), [100, 1]);
  readonly depth = tensor([1]);

  atomwise(graph: Graph): Tensor {
    const r = distances(graph.vector!);
    const near = mul(exp(neg(r)), cosineCutoff(r, { cutoff: CUTOFF }));
    const q = take(take(this.charge, { index: graph.numbers! }), { index: graph.sender });
    const rho = segmentSum(mul(reshape(near, { shape: [graph.edges, 1] }), q), { adj: graph.receivers });
    return mul(sub(square(rho), tanh(rho).mul(2)), this.depth);
  }

  forward(graph: Graph): Tensor {
    return segmentSum(this.atomwise(graph), { adj: graph.owners });
  }
}

const CHARGES = Array.from({ length: 100 }, (_, z) => Math.fround(1 + ((7 * z) % 5) / 4));

/** The same in f64, of a structure whose neighbours are found anew. */
export function tinyEnergy(structure: Structure, list: NeighbourList = neighbourList(structure, { cutoff: CUTOFF })) {
  let energy = 0;
  for (let i = 0; i < structure.length; i++) {
    let rho = 0;
    for (let e = list.ptr[i]; e < list.ptr[i + 1]; e++) {
      const r = list.distance[e];
      rho += CHARGES[structure.numbers[list.index[e]]] * Math.exp(-r) * 0.5 * (Math.cos((Math.PI * r) / CUTOFF) + 1);
    }
    energy += rho * rho - 2 * Math.tanh(rho);
  }
  return energy;
}
