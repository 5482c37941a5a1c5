import { UserError } from "../core/errors.ts";
import { noGrad } from "../core/op.ts";
import { scope } from "../core/tensor.ts";
import { CrystalGraphFeaturiser } from "../data/crystalGraph.ts";
import type { DatasetRows, RowFeaturiser } from "../data/dataset.ts";
import { ElementSetFeaturiser } from "../data/elementSet.ts";
import { ELEMENTS } from "../data/elements.ts";
import { Lattice } from "../data/lattice.ts";
import { PotentialFeaturiser } from "../data/potentialFeaturiser.ts";
import { Structure } from "../data/structure.ts";
import { layerOutputs, modules } from "../nn/index.ts";
import type { Predictor } from "./predictor.ts";

/** What a model has learned of each element, before it sees what the element is bonded to. */
export interface ElementEmbeddings {
  /** Atomic numbers. */
  elements: number[];
  /** The vector of each, all of one length. */
  vectors: Float32Array[];
}

/** The modules that turn elements into vectors: of graph networks, of ALIGNN, of CrabNet. */
const LAYERS = ["embedding", "atom_embedding", "encoder.embed"];

/** Å: a cube for one atom, far from its images. */
const EDGE = 5;

const layerOf = (model: object): string | undefined => LAYERS.find((name) => modules(model).has(name));

const seesElements = (featuriser: RowFeaturiser): boolean =>
  [CrystalGraphFeaturiser, PotentialFeaturiser, ElementSetFeaturiser].some((kind) => featuriser instanceof kind);

/** Whether the model makes a vector of each element. */
export const hasElementEmbeddings = ({ model, featuriser }: Pick<Predictor, "model" | "featuriser">): boolean =>
  seesElements(featuriser) && layerOf(model) !== undefined;

/**
 * The vectors that a model of crystals or compositions makes of the elements: an embedding by atomic number (SchNet, PaiNN, MEGNet …),
 * or a linear layer of descriptors (CGCNN, CrabNet).
 *
 * @param options.elements  atomic numbers; by default those that the model was trained on, as far as its file says so, else all that it takes
 * @throws UserError for a model that has no such vectors
 */
export function elementEmbeddings(
  predictor: Predictor,
  { elements = learnedElements(predictor) }: { elements?: readonly number[] } = {},
): ElementEmbeddings {
  const { model, featuriser } = predictor;
  const layer = layerOf(model);
  if (!layer || !seesElements(featuriser))
    throw new UserError("elementEmbeddings: this model makes no vectors of the elements.");
  const taken = elements.filter((z) => accepts(predictor, z));
  if (taken.length === 0) throw new UserError("elementEmbeddings: the model takes none of these elements.");
  return scope(() => {
    const data = predictor.dataset(pure(featuriser, taken));
    const { inputs } = data.batch(Int32Array.from(taken.keys()));
    const output = noGrad(() => layerOutputs(model, inputs, [layer])).get(layer)!;
    const [, width] = output.shape;
    const values = output.toArray();
    return { elements: taken, vectors: taken.map((_, i) => values.slice(i * width, (i + 1) * width)) };
  });
}

/** Atomic numbers of the elements that a model was trained on, as far as its file says so; else of all. */
function learnedElements({ card, featuriser }: Predictor): number[] {
  const { elements } = card.notes;
  const symbols = featuriser instanceof PotentialFeaturiser ? featuriser.elements : String(elements ?? "").split(" ");
  const known = ELEMENTS.filter(({ symbol }) => symbols.includes(symbol));
  return (known.length > 0 ? known : ELEMENTS).map(({ number }) => number);
}

function accepts(predictor: Predictor, z: number): boolean {
  try {
    predictor.dataset(pure(predictor.featuriser, [z]));
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Each element alone, as a formula or as one atom in a cube. */
function pure(featuriser: RowFeaturiser, elements: readonly number[]): DatasetRows {
  const rows: DatasetRows = {
    file: "elements",
    length: elements.length,
    lines: Int32Array.from(elements, (_, i) => i + 1),
    formulas: elements.map((z) => ELEMENTS[z - 1].symbol),
    numeric: { names: [], values: new Float64Array() },
    categorical: { names: [], values: [] },
  };
  if (featuriser instanceof ElementSetFeaturiser) return rows;
  const one = { positions: [0, 0, 0], lattice: Lattice.cubic(EDGE) };
  const structures = elements.map((z) => new Structure({ ...one, numbers: [z], source: ELEMENTS[z - 1].name }));
  return { ...rows, structures };
}
