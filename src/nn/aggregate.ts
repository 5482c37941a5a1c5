import { Csr } from "../core/csr.ts";
import { mismatch } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { emptyIndices, type Indices, indices, type Tensor } from "../core/tensor.ts";
import {
  mul,
  reshape,
  segmentMax,
  segmentMean,
  segmentMin,
  segmentSoftmax,
  segmentSum,
  sqrt,
  square,
  sub,
  take,
} from "../ops/index.ts";
import { Linear } from "./linear.ts";

export const AGGREGATIONS = ["sum", "mean", "max", "min", "std"] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

/**
 * What each row of `adj` receives, as one: messages [n, …] and adj [rows × n] → [rows, …]. A row that receives nothing gets 0,
 * whatever the kind. "std" is that of the population, √(Σ(m − m̄)²/k), about the mean and thus without cancellation; its gradient is 0
 * where all messages are equal, and where there is one.
 */
export function aggregate(messages: Tensor, adj: Csr, kind: Aggregation): Tensor {
  switch (kind) {
    case "sum":
      return segmentSum(messages, { adj });
    case "mean":
      return segmentMean(messages, { adj });
    case "max":
      return segmentMax(messages, { adj });
    case "min":
      return segmentMin(messages, { adj });
    case "std":
      return deviation(messages, adj);
    default:
      throw mismatch(
        "aggregate",
        [messages.shape],
        `there is no aggregation ${JSON.stringify(kind)}.`,
        `There are ${AGGREGATIONS.join(", ")}.`,
      );
  }
}

function deviation(messages: Tensor, adj: Csr): Tensor {
  const mean = segmentMean(messages, { adj });
  // A message may go to several rows, each with its own mean: one difference for each entry, not for each message.
  const entries = byEntry(adj);
  const d = sub(take(messages, { index: adj.index }), take(mean, { index: indices(adj.rowOfEntry()) }));
  return sqrt(segmentMean(square(d), { adj: entries }));
}

/** [rows × entries]: row i holds the entries of row i. */
function byEntry(adj: Csr): Csr {
  const index = emptyIndices(adj.entries);
  const { data } = index;
  for (let k = 0; k < data.length; k++) data[k] = k;
  return new Csr(adj.rows, adj.entries, adj.ptr, index);
}

/** The row of `adj` that each of its columns is in, where each is in one. */
function rowsOf(call: string, scores: Tensor, adj: Csr): Indices {
  const row = emptyIndices(adj.cols);
  const [to, ptr, column] = [row.data, adj.ptr.data, adj.index.data];
  to.fill(-1);
  for (let i = 0; i < adj.rows; i++) for (let k = ptr[i]; k < ptr[i + 1]; k++) to[column[k]] = i;
  if (adj.entries !== adj.cols || to.includes(-1))
    throw mismatch(call, [scores.shape], "each message must go to exactly one row.");
  return row;
}

/** Softmax of scores [n, …] among those that go to the same row of adj [rows × n]; in each row that has any they add up to 1. */
export function attentionWeights(scores: Tensor, adj: Csr): Tensor {
  return segmentSoftmax(scores, { ids: rowsOf("attentionWeights", scores, adj), count: adj.rows });
}

/**
 * The messages that each row of `adj` [rows × n] receives, weighed by the softmax of their scores: messages [n, …, d], scores [n, …]
 * (a head for each further axis) → [rows, …, d]; 0 for a row without any.
 */
export function attend(messages: Tensor, scores: Tensor, adj: Csr): Tensor {
  return weighedSum(messages, attentionWeights(scores, adj), adj);
}

/** Σ weight·message: messages [n, …, d], weights [n, …] → [rows, …, d]. */
export function weighedSum(messages: Tensor, weights: Tensor, adj: Csr): Tensor {
  const lead = messages.shape.slice(0, weights.rank);
  if (weights.rank >= messages.rank || lead.some((n, i) => n !== weights.shape[i]))
    throw mismatch(
      "attend",
      [messages.shape, weights.shape],
      "scores must have the messages' shape without its last axis.",
    );
  const ones = new Array<number>(messages.rank - weights.rank).fill(1);
  return segmentSum(mul(messages, reshape(weights, { shape: [...weights.shape, ...ones] })), { adj });
}

/** An aggregation with weights of its own: softmax attention with scores that a linear layer gives each message. Li et al. 2016. */
export class AttentionAggregation {
  readonly gate_nn: Linear;

  constructor(width: number, rng: Rng) {
    this.gate_nn = new Linear(width, 1, rng);
  }

  /** messages [n, width], adj [rows × n] → [rows, width]; 0 for a row without any. */
  forward(messages: Tensor, adj: Csr): Tensor {
    return attend(messages, reshape(this.gate_nn.forward(messages), { shape: [messages.shape[0]] }), adj);
  }
}
