import type { Rng } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Graph } from "../../data/graph.ts";
import { ginMlp } from "../../models/nodeNet.ts";
import {
  type Aggregation,
  aggregate,
  GatConv,
  GcnConv,
  GinConv,
  GraphNet,
  Linear,
  type Module,
  SageConv,
  Sequential,
  type Training,
} from "../../nn/index.ts";
import { relu } from "../../ops/index.ts";
import type { LayerKind } from "./options.ts";

export interface ClassifierOptions {
  layer: LayerKind;
  aggregation: Aggregation;
  depth: number;
  width: number;
}

interface Conv {
  forward(x: Tensor, graph: Graph, training?: Training): Tensor;
}

/** Heads of GAT, side by side in the width. */
const HEADS = 4;

/** φ of both ends of each edge, aggregated, and φ of that and the node: the general layer of Battaglia et al. 2018 without globals. */
class MessageConv implements Conv {
  readonly net: GraphNet;

  constructor(inputs: number, width: number, rng: Rng, aggregation: Aggregation) {
    const edges = new Sequential(new Linear(2 * inputs, width, rng), relu);
    const nodes = new Linear(width + inputs, width, rng);
    this.net = new GraphNet({ edges, nodes }, { edgesToNodes: aggregation });
  }

  forward(x: Tensor, graph: Graph, training?: Training): Tensor {
    return this.net.forward({ v: x }, graph, training).v!;
  }
}

/** Graph layers with rectifiers, a readout over each graph's nodes, and a linear layer that names the class. */
export class GraphClassifier implements Module<[graph: Graph]> {
  readonly convs: Conv[];
  readonly head: Linear;
  private readonly readout: Aggregation;

  constructor(inputs: number, classes: number, rng: Rng, { layer, aggregation, depth, width }: ClassifierOptions) {
    this.readout = aggregation;
    this.convs = Array.from({ length: depth }, (_, i) => {
      const from = i === 0 ? inputs : width;
      switch (layer) {
        case "gin":
          return new GinConv(ginMlp(from, width, rng));
        case "gcn":
          return new GcnConv(from, width, rng);
        case "sage":
          return new SageConv(from, width, rng, { aggregator: aggregation === "max" ? "max" : "mean" });
        case "gat":
          return new GatConv(from, width / HEADS, rng, { heads: HEADS });
        case "message":
          return new MessageConv(from, width, rng, aggregation);
      }
    });
    this.head = new Linear(width, classes, rng);
  }

  /** Each graph as a vector, [graphs, width]. */
  embed(graph: Graph, training?: Training): Tensor {
    let x = graph.v!;
    for (const conv of this.convs) x = relu(conv.forward(x, graph, training));
    return aggregate(x, graph.owners, this.readout);
  }

  /** → logits [graphs, classes]. */
  forward(graph: Graph, training?: Training): Tensor {
    return this.head.forward(this.embed(graph, training));
  }
}
