import { Csr } from "../core/csr.ts";
import { mismatch, UserError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { emit, emptyIndices, type Indices, type Tensor, zeros } from "../core/tensor.ts";
import { add, affine, linear, matmul, reshape, segmentSum, softmax } from "../ops/index.ts";
import { Dropout } from "./dropout.ts";
import { init } from "./init.ts";
import { Linear } from "./linear.ts";
import type { Module, Training } from "./module.ts";
import { LayerNorm } from "./norm.ts";

/**
 * Where the tokens of a batch of sequences stand among the rows of [tokens, width]. Packed sequences have rows for their own tokens
 * alone, so that all dense layers cost only these; attention alone sees [sequences, heads, length, length], short ones masked.
 */
export class Sequences {
  private readonly maps = new Map<number, HeadMaps>();

  private constructor(
    readonly count: number,
    /** Of the longest. */
    readonly length: number,
    /** Rows of the tokens. */
    readonly tokens: number,
    /** The row at each place [count · length], −1 where there is none. */
    private readonly row: Indices,
    /** [count, 1, 1, length], 0 or, for places whose keys are not seen, −1e30: what is added to scores. Undefined: all are seen. */
    readonly bias: Tensor | undefined,
  ) {}

  /** Sequences of the given lengths whose tokens follow each other without gaps. */
  static packed(lengths: ArrayLike<number>): Sequences {
    const count = lengths.length;
    let [length, tokens] = [0, 0];
    for (let s = 0; s < count; s++) {
      length = Math.max(length, lengths[s]);
      tokens += lengths[s];
    }
    const row = emptyIndices(count * length);
    const { data } = row;
    for (let s = 0, at = 0; s < count; s++)
      for (let i = 0; i < length; i++) data[s * length + i] = i < lengths[s] ? at++ : -1;
    const ragged = tokens < count * length;
    const bias = ragged ? biasOf(count, length, (s, i) => i >= lengths[s]) : undefined;
    return new Sequences(count, length, tokens, row, bias);
  }

  /** Sequences of one length. `keyPadding` [count · length] is true for tokens that no other may see, as in PyTorch. */
  static padded(count: number, length: number, keyPadding?: ArrayLike<boolean | number>): Sequences {
    if (keyPadding && keyPadding.length !== count * length)
      throw new UserError(`Sequences: ${keyPadding.length} key-padding marks for ${count} × ${length} tokens.`);
    const row = emptyIndices(count * length);
    row.data.forEach((_, place, data) => {
      data[place] = place;
    });
    const bias = keyPadding && biasOf(count, length, (s, i) => Boolean(keyPadding[s * length + i]));
    return new Sequences(count, length, count * length, row, bias);
  }

  /** How rows are handed to so many heads and gathered again. Made once; its indices live as long as this. */
  heads(heads: number): HeadMaps {
    let maps = this.maps.get(heads);
    if (!maps) {
      const [q, k, v] = [0, 1, 2].map((part) => this.split(heads, part));
      maps = { q, k, v, join: this.join(heads) };
      this.maps.set(heads, maps);
    }
    return maps;
  }

  /** [count · heads · length × tokens · 3 · heads]: picks one of query, key and value for every head, place by place. */
  private split(heads: number, part: number): Csr {
    const { count, length, tokens, row } = this;
    const places = count * heads * length;
    const [ptr, index] = [emptyIndices(places + 1, row), emptyIndices(heads * tokens, row)];
    const [start, column, rows] = [ptr.data, index.data, row.data];
    let [at, entry] = [0, 0];
    for (let s = 0; s < count; s++)
      for (let h = 0; h < heads; h++)
        for (let i = 0; i < length; i++) {
          start[at++] = entry;
          const r = rows[s * length + i];
          if (r >= 0) column[entry++] = (r * 3 + part) * heads + h;
        }
    start[at] = entry;
    return new Csr(places, tokens * 3 * heads, ptr, index);
  }

  /** [tokens · heads × count · heads · length]: what each token's heads found. */
  private join(heads: number): Csr {
    const { count, length, tokens, row } = this;
    const [ptr, index] = [emptyIndices(heads * tokens + 1, row), emptyIndices(heads * tokens, row)];
    const [start, column, rows] = [ptr.data, index.data, row.data];
    for (let e = 0; e <= heads * tokens; e++) start[e] = e;
    for (let s = 0; s < count; s++)
      for (let i = 0; i < length; i++) {
        const r = rows[s * length + i];
        if (r >= 0) for (let h = 0; h < heads; h++) column[r * heads + h] = (s * heads + h) * length + i;
      }
    return new Csr(heads * tokens, count * heads * length, ptr, index);
  }
}

/** 0/1 matrices: each gathers rows, and its transpose is the gradient. */
type HeadMaps = Record<"q" | "k" | "v" | "join", Csr>;

const biasOf = (count: number, length: number, hidden: (sequence: number, place: number) => boolean): Tensor =>
  emit([count, 1, 1, length], ({ data }) => {
    for (let s = 0; s < count; s++) for (let i = 0; i < length; i++) data[s * length + i] = hidden(s, i) ? -1e30 : 0;
  });

/** x as rows, and which rows are sequences: [batch, length, width] says it by itself. */
function rowsOf(call: string, x: Tensor, width: number, sequences?: Sequences): { rows: Tensor; sequences: Sequences } {
  const tokens = x.size / (x.shape.at(-1) || 1);
  if (x.shape.at(-1) !== width || (x.rank !== 3 && !(x.rank === 2 && sequences)))
    throw mismatch(
      call,
      [x.shape],
      `the input must be [batch, length, ${width}], or [tokens, ${width}] with their Sequences.`,
    );
  if (sequences && (sequences.tokens !== tokens || (x.rank === 3 && sequences.length !== x.shape[1])))
    throw mismatch(call, [x.shape], `the sequences have ${sequences.tokens} tokens, the longest ${sequences.length}.`);
  return {
    rows: x.rank === 2 ? x : reshape(x, { shape: [tokens, width] }),
    sequences: sequences ?? Sequences.padded(x.shape[0], x.shape[1]),
  };
}

/**
 * Self-attention with several heads: softmax(q·kᵀ/√(d/heads))·v in each, their results joined and projected. Vaswani et al. 2017.
 * Names, layout and initial weights are those of torch.nn.MultiheadAttention.
 */
export class MultiheadAttention implements Module<[x: Tensor, sequences?: Sequences]> {
  readonly in_proj_weight: Tensor;
  readonly in_proj_bias: Tensor;
  readonly out_proj: Linear;
  private readonly dropout: Dropout;

  constructor(
    readonly width: number,
    readonly heads: number,
    rng: Rng,
    { dropout = 0 }: { dropout?: number } = {},
  ) {
    if (!(Number.isInteger(heads) && heads > 0 && width % heads === 0))
      throw new UserError(`MultiheadAttention: ${heads} heads do not divide a width of ${width}.`);
    this.in_proj_weight = init.xavierUniform([3 * width, width], rng);
    this.in_proj_bias = zeros([3 * width]);
    this.out_proj = new Linear(width, width, rng);
    this.out_proj.bias!.data.fill(0);
    this.dropout = new Dropout(dropout);
  }

  /** x [batch, length, width], or packed rows [tokens, width] with their sequences → the same shape. */
  forward(x: Tensor, sequences?: Sequences, training?: Training): Tensor {
    const { width, heads } = this;
    const known = rowsOf("MultiheadAttention", x, width, sequences);
    const parts = this.split(known.rows, known.sequences);
    const weights = this.dropout.forward(this.attend(parts, known.sequences), training);
    const found = reshape(matmul(weights, this.byHead(parts, "v", known.sequences)), {
      shape: [parts.maps.join.cols, width / heads],
    });
    const joined = reshape(segmentSum(found, { adj: parts.maps.join }), { shape: [known.sequences.tokens, width] });
    return reshape(this.out_proj.forward(joined), { shape: x.shape });
  }

  /** How much every token looks at every other, by head: [sequences, heads, length, length], each row adding up to 1. */
  weights(x: Tensor, sequences?: Sequences): Tensor {
    const known = rowsOf("MultiheadAttention", x, this.width, sequences);
    return this.attend(this.split(known.rows, known.sequences), known.sequences);
  }

  /** Queries, keys and values as rows of one head each. */
  private split(rows: Tensor, sequences: Sequences): { qkv: Tensor; maps: HeadMaps } {
    const { width, heads } = this;
    const qkv = linear(rows, this.in_proj_weight, this.in_proj_bias);
    return {
      qkv: reshape(qkv, { shape: [sequences.tokens * 3 * heads, width / heads] }),
      maps: sequences.heads(heads),
    };
  }

  private byHead({ qkv, maps }: { qkv: Tensor; maps: HeadMaps }, part: "q" | "k" | "v", s: Sequences): Tensor {
    const shape = [s.count, this.heads, s.length, this.width / this.heads];
    return reshape(segmentSum(qkv, { adj: maps[part] }), { shape });
  }

  private attend(parts: { qkv: Tensor; maps: HeadMaps }, sequences: Sequences): Tensor {
    const products = matmul(this.byHead(parts, "q", sequences), this.byHead(parts, "k", sequences), {
      transposeB: true,
    });
    const scores = affine(products, { scale: Math.sqrt(this.heads / this.width), shift: 0 });
    return softmax(sequences.bias ? add(scores, sequences.bias) : scores);
  }
}

export interface TransformerOptions {
  /** Share dropped of attention weights, of both blocks' results and of the hidden layer, while training. */
  dropout?: number;
  /** Width of the hidden layer. */
  feedForward?: number;
}

/** y = LN(x + attention(x)), then LN(y + W₂·relu(W₁·y)): the layer as first published, which is torch.nn.TransformerEncoderLayer's default. */
export class TransformerEncoderLayer implements Module<[x: Tensor, sequences?: Sequences]> {
  readonly self_attn: MultiheadAttention;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  private readonly dropout: Dropout;

  constructor(
    readonly width: number,
    heads: number,
    rng: Rng,
    { dropout = 0.1, feedForward = 2048 }: TransformerOptions = {},
  ) {
    this.self_attn = new MultiheadAttention(width, heads, rng, { dropout });
    this.linear1 = new Linear(width, feedForward, rng);
    this.linear2 = new Linear(feedForward, width, rng);
    this.norm1 = new LayerNorm(width);
    this.norm2 = new LayerNorm(width);
    this.dropout = new Dropout(dropout);
  }

  /** x [batch, length, width], or packed rows [tokens, width] with their sequences → the same shape. */
  forward(x: Tensor, sequences?: Sequences, training?: Training): Tensor {
    const drop = (t: Tensor): Tensor => this.dropout.forward(t, training);
    const y = this.norm1.forward(add(x, drop(this.self_attn.forward(x, sequences, training))));
    const hidden = drop(this.linear1.apply(y, "relu"));
    return this.norm2.forward(add(y, drop(this.linear2.forward(hidden))));
  }
}

/** A stack of transformer layers. */
export class TransformerEncoder implements Module<[x: Tensor, sequences?: Sequences]> {
  readonly layers: TransformerEncoderLayer[];

  constructor(
    readonly width: number,
    heads: number,
    layers: number,
    rng: Rng,
    options?: TransformerOptions,
  ) {
    this.layers = Array.from({ length: layers }, () => new TransformerEncoderLayer(width, heads, rng, options));
  }

  /** x [batch, length, width], or packed rows [tokens, width] with their sequences → the same shape. */
  forward(x: Tensor, sequences?: Sequences, training?: Training): Tensor {
    const known = rowsOf("TransformerEncoder", x, this.width, sequences);
    const through = this.layers.reduce((rows, layer) => layer.forward(rows, known.sequences, training), known.rows);
    return reshape(through, { shape: x.shape });
  }

  /** The attention weights of each layer, [sequences, heads, length, length]. */
  attention(x: Tensor, sequences?: Sequences): Tensor[] {
    const known = rowsOf("TransformerEncoder", x, this.width, sequences);
    const found: Tensor[] = [];
    this.layers.reduce((rows, layer) => {
      found.push(layer.self_attn.weights(rows, known.sequences));
      return layer.forward(rows, known.sequences);
    }, known.rows);
    return found;
  }
}
