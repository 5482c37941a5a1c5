import { UserError } from "../core/errors.ts";
import { noGrad } from "../core/op.ts";
import { cosPi, exp as exponential, sinPi } from "../core/portable.ts";
import { log } from "../core/portableLog.ts";
import type { Rng } from "../core/random.ts";
import { emit, ones, scope, type Tensor, zeros } from "../core/tensor.ts";
import { type ElementSet, ElementSets } from "../data/elementSet.ts";
import { ELEMENTS } from "../data/elements.ts";
import type { ElementVectors } from "../data/elementVectors.ts";
import { buffer, Linear, type Module, Sequences, type Training, TransformerEncoder } from "../nn/index.ts";
import { add, affine, concat, exp, expand, mul, segmentMean, sigmoid, slice, square, take } from "../ops/index.ts";
import { ResidualNetwork } from "./residualNetwork.ts";

export interface CrabNetOptions {
  /** Of the outputs, the first so many are multiplied by a learned gate in (0, 1); the rest, a logarithm of σ, is not. Default: all. */
  gates?: number;
  /** Width of an element's vector in the transformer. */
  width?: number;
  layers?: number;
  heads?: number;
  /** Width of the transformer's hidden layers. */
  feedForward?: number;
  dropout?: number;
  /** Hidden layers of the head: 1024, 512, 256, 128, or in the authors' simple one 256, 128. */
  hidden?: readonly number[];
}

/** Places of the table of fractions. */
const RESOLUTION = 5000;

/** round(max(f, 1/5000)·5000) − 1: the place of a fraction, in f32 and ties to even as in the authors' code. */
export function fractionPlace(f: number): number {
  const x = Math.fround(Math.max(Math.fround(f), Math.fround(1 / RESOLUTION)) * RESOLUTION);
  const low = Math.floor(x);
  const up = x - low > 0.5 || (x - low === 0.5 && low % 2 === 1);
  return low + (up ? 0 : -1);
}

/** min(1, 0.0025·log₂(f)²): small fractions spread out, 0 → 1. */
export const logFraction = (f: number): number => Math.min(1, 0.0025 * (log(f) / Math.LN2) ** 2);

/** sin(k/50^(2c/width)) in the even columns c, cos in the odd ones: [width] for the place k = 0 … 4999. */
export function fractionEncoding(k: number, width: number): Float32Array {
  return Float32Array.from({ length: width }, (_, c) => {
    const t = (k * exponential((-2 * c * log(50)) / width)) / Math.PI;
    return c % 2 === 0 ? sinPi(t) : cosPi(t);
  });
}

/** An element's vector brought to the transformer's width; the vectors themselves are not trained. */
class Embedder {
  readonly fc_mat2vec: Linear;
  readonly cbfv: { weight: Tensor };

  constructor(inputs: number, width: number, rng: Rng) {
    this.fc_mat2vec = new Linear(inputs, width, rng);
    this.cbfv = { weight: buffer(zeros([ELEMENTS.length + 1, inputs])) };
  }

  forward(sets: ElementSets): Tensor {
    return this.fc_mat2vec.forward(take(this.cbfv.weight, { index: sets.numbers }));
  }
}

/** Elements that look at each other: vector + encoded fraction, then a transformer. */
class Encoder {
  readonly embed: Embedder;
  readonly emb_scaler: Tensor;
  readonly pos_scaler: Tensor;
  readonly pos_scaler_log: Tensor;
  readonly transformer_encoder: TransformerEncoder;
  /** Made as they are met, by place. */
  readonly #encodings = new Map<number, Float32Array>();

  constructor(
    inputs: number,
    private readonly width: number,
    rng: Rng,
    { layers, heads, feedForward, dropout }: Required<Omit<CrabNetOptions, "gates" | "hidden" | "width">>,
  ) {
    this.embed = new Embedder(inputs, width, rng);
    this.emb_scaler = ones([1]);
    this.pos_scaler = ones([1]);
    this.pos_scaler_log = ones([1]);
    this.transformer_encoder = new TransformerEncoder(width, heads, layers, rng, { feedForward, dropout });
  }

  /** → [tokens, width]: x·2^a + [pe·2^((1 − b)²), ple·2^((1 − c)²)] with learned a, b, c. */
  input(sets: ElementSets): Tensor {
    const half = this.width / 2;
    const scale = (s: Tensor): Tensor => expand(power(square(affine(s, { scale: -1, shift: 1 }))), { shape: [half] });
    const scales = concat([scale(this.pos_scaler), scale(this.pos_scaler_log)], { axis: 0 });
    return add(mul(this.embed.forward(sets), power(this.emb_scaler)), mul(this.fractions(sets), scales));
  }

  forward(sets: ElementSets, training?: Training): Tensor {
    return this.transformer_encoder.forward(this.input(sets), Sequences.packed(sets.sizes), training);
  }

  /** [tokens, width]: the code of each fraction, then that of its logarithm. */
  private fractions({ fractions, tokens }: ElementSets): Tensor {
    const { width } = this;
    return emit([tokens, width], ({ data }) => {
      fractions.forEach((f, t) => {
        data.set(this.encoding(fractionPlace(f)), t * width);
        data.set(this.encoding(fractionPlace(logFraction(f))), t * width + width / 2);
      });
    });
  }

  private encoding(place: number): Float32Array {
    let made = this.#encodings.get(place);
    if (!made) {
      made = fractionEncoding(place, this.width / 2);
      this.#encodings.set(place, made);
    }
    return made;
  }
}

/** 2ˣ. */
const power = (x: Tensor): Tensor => exp(affine(x, { scale: Math.LN2, shift: 0 }));

/**
 * CrabNet: a property of a composition from its elements and their fractions, by attention between the elements. Wang, Kauwe, Murdock
 * & Sparks, npj Comput. Mater. 7, 77 (2021). With 200 numbers for an element and two outputs, a value and the logarithm of its σ,
 * 12,011,006 parameters, of which the 23,800 of the elements' vectors are not trained. Names and shapes are those of the authors'
 * state dicts.
 */
export class CrabNet implements Module<[sets: ElementSets]> {
  readonly encoder: Encoder;
  readonly output_nn: ResidualNetwork;
  readonly gates: number;

  /** @param inputs  numbers that describe an element; `useVectors` gives them, or a model file's weights do */
  constructor(
    inputs: number,
    readonly outputs: number,
    rng: Rng,
    {
      gates = outputs,
      width = 512,
      layers = 3,
      heads = 4,
      feedForward = 2048,
      dropout = 0.1,
      hidden = [1024, 512, 256, 128],
    }: CrabNetOptions = {},
  ) {
    if (width % 2 !== 0) throw new UserError(`CrabNet: the width must be even, not ${width}.`);
    if (!(gates >= 0 && gates <= outputs)) throw new UserError(`CrabNet: ${gates} gates for ${outputs} outputs.`);
    this.gates = gates;
    this.encoder = new Encoder(inputs, width, rng, { layers, heads, feedForward, dropout });
    this.output_nn = new ResidualNetwork([width, ...hidden], outputs + gates, rng);
  }

  /** Tells the model what describes each element. @throws UserError for vectors of another length */
  useVectors({ name, width, table }: ElementVectors): this {
    const { weight } = this.encoder.embed.cbfv;
    if (weight.size !== table.length)
      throw new UserError(`CrabNet: the vectors of ${name} have ${width} numbers, the model takes ${weight.shape[1]}.`);
    weight.set(table);
    return this;
  }

  /** Compositions → [compositions, outputs]: the mean over each one's elements, gated. */
  forward(sets: ElementSets, training?: Training): Tensor {
    const means = segmentMean(this.perElement(sets, training), { adj: sets.owners });
    return mul(this.values(means), this.gate(means));
  }

  /** What each element contributes, [tokens, outputs]: its composition's output is the mean of these. */
  elementwise(sets: ElementSets): Tensor {
    const each = this.perElement(sets);
    const gate = this.gate(segmentMean(each, { adj: sets.owners }));
    return mul(this.values(each), take(gate, { index: sets.owner }));
  }

  /** The attention weights of each layer, [compositions, heads, elements, elements]: how much a row's element looks at a column's. */
  attention(sets: ElementSets): Tensor[] {
    return this.encoder.transformer_encoder.attention(this.encoder.input(sets), Sequences.packed(sets.sizes));
  }

  /** [tokens, outputs + gates] */
  private perElement(sets: ElementSets, training?: Training): Tensor {
    return this.output_nn.forward(this.encoder.forward(sets, training));
  }

  private values(x: Tensor): Tensor {
    return slice(x, { axis: 1, start: 0, end: this.outputs });
  }

  /** σ of the logits that follow the values, and 1 for values without one. */
  private gate(x: Tensor): Tensor {
    const { outputs, gates } = this;
    const own = sigmoid(slice(x, { axis: 1, start: outputs, end: outputs + gates }));
    return gates === outputs ? own : concat([own, ones([x.shape[0], outputs - gates])], { axis: 1 });
  }
}

/** How one composition's elements look at each other, by layer and head. */
export interface AttentionMap {
  /** Atomic numbers, the most frequent element first. */
  readonly elements: readonly number[];
  /** weights[layer][head][i · n + j]: the share of its attention that element i of n gives to element j; each row adds up to 1. */
  readonly weights: readonly (readonly Float32Array[])[];
}

/** The attention maps of compositions. */
export function attentionMaps(model: CrabNet, sets: readonly ElementSet[]): AttentionMap[] {
  return inference(sets, (batch) => {
    const layers = model.attention(batch).map((weights) => ({ data: weights.toArray(), shape: weights.shape }));
    return sets.map(({ numbers }, s) => {
      const n = numbers.length;
      const weights = layers.map(({ data, shape: [, heads, length] }) =>
        Array.from({ length: heads }, (_, h) =>
          Float32Array.from({ length: n * n }, (_, k) => {
            return data[((s * heads + h) * length + Math.floor(k / n)) * length + (k % n)];
          }),
        ),
      );
      return { elements: numbers, weights };
    });
  });
}

/** What each element of a composition says: the prediction is the mean of these values. */
export interface ElementContributions {
  /** Atomic numbers, the most frequent element first. */
  readonly elements: readonly number[];
  readonly fractions: readonly number[];
  /** One for each element, in the target's unit. */
  readonly values: Float32Array;
}

/**
 * The contributions of the elements to the model's first output.
 *
 * @param options.mean, options.std  of the targets that it was trained on: its task's
 */
export function elementContributions(
  model: CrabNet,
  sets: readonly ElementSet[],
  { mean = 0, std = 1 }: { mean?: number; std?: number } = {},
): ElementContributions[] {
  return inference(sets, (batch) => {
    const each = model.elementwise(batch).toArray();
    let at = 0;
    return sets.map(({ numbers, fractions }) => {
      const values = Float32Array.from(numbers, () => mean + std * each[model.outputs * at++]);
      return { elements: numbers, fractions, values };
    });
  });
}

const inference = <T>(sets: readonly ElementSet[], body: (batch: ElementSets) => T): T =>
  noGrad(() => scope(() => body(ElementSets.batch(sets))));
