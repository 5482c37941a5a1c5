import { UserError } from "../core/errors.ts";
import { grad } from "../core/grad.ts";
import { withRecording } from "../core/op.ts";
import { ones, type Tensor } from "../core/tensor.ts";
import type { Graph } from "../data/graph.ts";
import { affine, mul, reshape, segmentSum, sub, transpose } from "../ops/index.ts";

export interface ForceOptions {
  /** Record the forces, so that a loss on them can be differentiated by the weights. */
  differentiable?: boolean;
  /** The virial, too. */
  stress?: boolean;
}

export interface Forces {
  /** −∂E/∂r of each atom [nodes, 3], eV/Å. */
  forces: Tensor;
  /** ∂E/∂ε of each structure [graphs, 3, 3], eV, symmetric; divided by the volume it is the stress, positive under tension. */
  virial?: Tensor;
}

/**
 * Forces, and virials, from the energies of structures [graphs, 1], eV: everything geometric in them must have been computed from
 * `graph.vector`, on the tape. With g = ∂E/∂vector and an edge's vector r_sender − r_receiver, Fᵢ = Σ g over the edges that i
 * receives − Σ g over those it sends: the forces of a structure sum to zero by construction. A homogeneous strain takes r to
 * (1 + ε)·r and each vector with it, so that ∂E/∂ε = Σ vector ⊗ g.
 */
export function forcesOf(
  energy: Tensor,
  graph: Graph,
  { differentiable = false, stress = false }: ForceOptions = {},
): Forces {
  const { vector, receivers, senders, owners, edges, nodes, count } = graph;
  if (!vector) throw new UserError("forcesOf: the graph has no vectors between its atoms to differentiate by.");
  if (!energy.node)
    throw new UserError(
      "forcesOf: the energy was computed without recording, so it cannot be differentiated.",
      "Compute it outside noGrad.",
    );
  const [g] = grad(energy, [vector], { differentiable, gradOutput: ones(energy.shape) });
  return withRecording(differentiable, () => {
    const forces = sub(segmentSum(g, { adj: receivers }), segmentSum(g, { adj: senders }));
    if (!stress) return { forces };
    const outer = mul(reshape(vector, { shape: [edges, 3, 1] }), reshape(g, { shape: [edges, 1, 3] }));
    const atoms = segmentSum(reshape(outer, { shape: [edges, 9] }), { adj: receivers });
    const sum = reshape(segmentSum(reshape(atoms, { shape: [nodes, 9] }), { adj: owners }), { shape: [count, 3, 3] });
    return { forces, virial: affine(sum.add(transpose(sum)), { scale: 0.5, shift: 0 }) };
  });
}
