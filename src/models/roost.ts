import { Csr } from "../core/csr.ts";
import { UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { emit, emptyIndices, type Indices, type Tensor, zeros } from "../core/tensor.ts";
import type { ElementSets } from "../data/elementSet.ts";
import { ELEMENTS } from "../data/elements.ts";
import type { ElementVectors } from "../data/elementVectors.ts";
import { buffer, init, Linear, type Module, type Training } from "../nn/index.ts";
import { add, affine, concat, leakyRelu, mul, relu, segmentSoftmax, segmentSum, take } from "../ops/index.ts";
import { ResidualNetwork } from "./residualNetwork.ts";

export interface RoostOptions {
  /** Width of an element's vector, its fraction among it. */
  width?: number;
  /** Rounds of messages. */
  layers?: number;
  /** Attention heads, whose results are averaged. */
  heads?: number;
  /** Hidden width of the networks that make messages and their weights. */
  hidden?: number;
}

/** Ordered pairs of elements of one composition, each with itself, too: the complete graph. */
interface Pairs {
  receiver: Indices;
  sender: Indices;
  /** [tokens × pairs] */
  received: Csr;
}

/** One hidden layer: W₂·leakyRelu(W₁·x + b₁) + b₂. */
class SimpleNetwork {
  readonly fcs: Linear[];
  readonly fc_out: Linear;

  constructor(inputs: number, hidden: number, outputs: number, rng: Rng) {
    this.fcs = [new Linear(inputs, hidden, rng)];
    this.fc_out = new Linear(hidden, outputs, rng);
  }

  forward(x: Tensor): Tensor {
    return this.fc_out.forward(leakyRelu(this.fcs[0].forward(x)));
  }
}

/** Σ aₑ·message(xₑ) over the entries e of each segment, aₑ ∝ fₑ^p·exp(gate(xₑ)), Σ aₑ = 1: soft attention weighted by fractions f with a learned power p. */
class WeightedAttentionPooling {
  readonly gate_nn: SimpleNetwork;
  readonly message_nn: SimpleNetwork;
  readonly pow: Tensor;

  constructor(inputs: number, hidden: number, outputs: number, rng: Rng) {
    this.gate_nn = new SimpleNetwork(inputs, hidden, 1, rng);
    this.message_nn = new SimpleNetwork(inputs, hidden, outputs, rng);
    this.pow = init.normal([1], rng);
  }

  /** x [entries, inputs], logarithms of the fractions [entries, 1] → [segments, outputs]. */
  forward(x: Tensor, logFractions: Tensor, ids: Indices, adj: Csr): Tensor {
    const scores = add(this.gate_nn.forward(x), mul(logFractions, this.pow));
    const attention = segmentSoftmax(scores, { ids, count: adj.rows });
    return segmentSum(mul(attention, this.message_nn.forward(x)), { adj });
  }
}

const meanOf = (tensors: readonly Tensor[]): Tensor =>
  affine(
    tensors.reduce((sum, t) => add(sum, t)),
    { scale: 1 / tensors.length, shift: 0 },
  );

/** vᵢ ← vᵢ + the mean over heads of the attention-weighted messages of all elements j of the composition, from [vᵢ, vⱼ]. */
class MessageLayer {
  readonly pooling: WeightedAttentionPooling[];

  constructor(width: number, heads: number, hidden: number, rng: Rng) {
    this.pooling = Array.from({ length: heads }, () => new WeightedAttentionPooling(2 * width, hidden, width, rng));
  }

  forward(v: Tensor, logFractions: Tensor, { receiver, sender, received }: Pairs): Tensor {
    const ends = concat([take(v, { index: receiver }), take(v, { index: sender })], { axis: 1 });
    const logs = take(logFractions, { index: sender });
    return add(meanOf(this.pooling.map((head) => head.forward(ends, logs, receiver, received))), v);
  }
}

/** Elements as a complete graph: messages by weighted soft attention, then pooling by the same. */
class DescriptorNetwork {
  readonly embedding: Linear;
  readonly graphs: MessageLayer[];
  readonly cry_pool: WeightedAttentionPooling[];

  constructor(
    inputs: number,
    width: number,
    rng: Rng,
    { layers, heads, hidden }: Required<Omit<RoostOptions, "width">>,
  ) {
    this.embedding = new Linear(inputs, width - 1, rng);
    this.graphs = Array.from({ length: layers }, () => new MessageLayer(width, heads, hidden, rng));
    this.cry_pool = Array.from({ length: heads }, () => new WeightedAttentionPooling(width, hidden, width, rng));
  }

  /** vectors [tokens, inputs] → [compositions, width]. */
  forward(vectors: Tensor, { tokens, fractions, owner, owners, sizes }: ElementSets): Tensor {
    const column = (of: (f: number) => number): Tensor => emit([tokens, 1], ({ data }) => data.set(fractions.map(of)));
    // A fraction that jitter has brought to 0 counts as next to nothing, not as −∞.
    const logs = column((f) => Math.log(Math.max(f, 1e-9)));
    const pairs = pairsOf(sizes, tokens);
    const start = concat([this.embedding.forward(vectors), column((f) => f)], { axis: 1 });
    const v = this.graphs.reduce((x, layer) => layer.forward(x, logs, pairs), start);
    return meanOf(this.cry_pool.map((head) => head.forward(v, logs, owner, owners)));
  }
}

function pairsOf(sizes: Int32Array, tokens: number): Pairs {
  const count = sizes.reduce((sum, n) => sum + n * n, 0);
  const [receiver, sender, index, ptr] = [count, count, count, tokens + 1].map((n) => emptyIndices(n));
  const [to, from, entry, start] = [receiver, sender, index, ptr].map(({ data }) => data);
  let [pair, first] = [0, 0];
  for (const n of sizes) {
    for (let i = first; i < first + n; i++) {
      start[i] = pair;
      for (let j = first; j < first + n; j++) {
        to[pair] = i;
        from[pair] = j;
        entry[pair] = pair++;
      }
    }
    first += n;
  }
  start[tokens] = pair;
  return { receiver, sender, received: new Csr(tokens, count, ptr, index) };
}

/**
 * Roost: a property of a composition by messages between its elements, weighted by their fractions. Goodall & Lee, Nat. Commun. 11,
 * 6280 (2020), with the sizes of the authors' package aviary and names as in its state dicts; `vectors`, which describe the
 * elements, are not trained.
 */
export class Roost implements Module<[sets: ElementSets]> {
  readonly vectors: Tensor;
  readonly material_nn: DescriptorNetwork;
  readonly trunk_nn: ResidualNetwork;
  readonly output_nns: ResidualNetwork[];

  /** @param inputs  numbers that describe an element; `useVectors` gives them, or a model file's weights do */
  constructor(
    inputs: number,
    outputs: number,
    rng: Rng,
    { width = 64, layers = 3, heads = 3, hidden = 256 }: RoostOptions = {},
  ) {
    this.vectors = buffer(zeros([ELEMENTS.length + 1, inputs]));
    this.material_nn = new DescriptorNetwork(inputs, width, rng, { layers, heads, hidden });
    this.trunk_nn = new ResidualNetwork([width, 1024, 512], 256, rng, { activation: "relu" });
    this.output_nns = [new ResidualNetwork([256, 128, 64], outputs, rng, { activation: "relu" })];
  }

  /** Tells the model what describes each element. @throws UserError for vectors of another length */
  useVectors({ name, width, table }: ElementVectors): this {
    const [, inputs] = this.vectors.shape;
    if (this.vectors.size !== table.length)
      throw new UserError(`Roost: the vectors of ${name} have ${width} numbers, the model takes ${inputs}.`);
    this.vectors.set(table);
    return this;
  }

  /** Compositions → [compositions, outputs]. */
  forward(sets: ElementSets, _training?: Training): Tensor {
    const described = this.material_nn.forward(take(this.vectors, { index: sets.numbers }), sets);
    return this.output_nns[0].forward(relu(this.trunk_nn.forward(described)));
  }
}
