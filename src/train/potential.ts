import type { Evaluation } from "../atoms/energyModel.ts";
import { UserError } from "../core/errors.ts";
import { withRecording } from "../core/op.ts";
import type { Rng } from "../core/random.ts";
import { scope, type Tensor } from "../core/tensor.ts";
import { Graph } from "../data/graph.ts";
import type { Matrix3 } from "../data/lattice.ts";
import { checkApart, PotentialFeaturiser } from "../data/potentialFeaturiser.ts";
import type { Structure } from "../data/structure.ts";
import { VerletList } from "../data/verletList.ts";
import type { ByteSource } from "../io/source.ts";
import { forcesOf, type Model } from "../nn/index.ts";
import { segmentSum } from "../ops/index.ts";
import { Predictor } from "./predictor.ts";

/** A model whose energy is a sum over atoms: [atoms, 1] of a graph. */
export interface AtomwiseModel extends Model {
  atomwise(graph: Graph): Tensor;
}

/**
 * A trained potential: structure → energy (eV), forces (eV/Å), stress (eV/Å³, of crystals), energies per atom (eV). `evaluate` is a
 * plain function, for `relax`, `dynamics`, `energyVolumeCurve` and anybody's code. Calls for one structure whose atoms move are fast:
 * neighbours are searched for only every now and then.
 */
export class Potential {
  private readonly list: VerletList;

  private constructor(
    private readonly model: AtomwiseModel,
    private readonly featuriser: PotentialFeaturiser,
    private readonly scale: number,
  ) {
    this.list = new VerletList(featuriser.spec.cutoff);
  }

  /** @throws UserError for a model that was not trained as a potential */
  static of({ model, featuriser, card }: Predictor): Potential {
    if (card.task.kind !== "potential" || !(featuriser instanceof PotentialFeaturiser) || !("atomwise" in model))
      throw new UserError(
        `This model predicts ${card.target.name}; it is no interatomic potential.`,
        "Train one: spinel train schnet --data frames.xyz --energy energy --forces forces",
      );
    return new Potential(model as AtomwiseModel, featuriser, card.task.scale);
  }

  /** Reads a model file as `Predictor.load` does: a path in Node, a File in browsers, or bytes; `build` is `buildModel`. */
  static async load<A>(
    source: ByteSource,
    build: (architecture: A, rng: Rng) => Model,
    name?: string,
  ): Promise<Potential> {
    return Potential.of(await Predictor.load(source, build, name));
  }

  /** Symbols of the elements that it has learned. */
  get elements(): string[] {
    return this.featuriser.elements;
  }

  /** Å: atoms farther apart do not see each other. */
  get cutoff(): number {
    return this.featuriser.spec.cutoff;
  }

  /** @throws UserError for elements that were not learned, disorder, and atoms on top of each other */
  readonly evaluate = (structure: Structure): Evaluation => {
    const { featuriser, model, scale, list } = this;
    featuriser.check(structure);
    const data = list.graph(structure);
    checkApart(data, structure.source);
    const { lattice, periodic, numbers } = structure;
    const crystal = lattice !== undefined && periodic.every(Boolean);
    const found = scope(() => {
      const graph = Graph.batch([data]);
      const atoms = withRecording(true, () => model.atomwise(graph));
      const total = withRecording(true, () => segmentSum(atoms, { adj: graph.owners }));
      const { forces, virial } = forcesOf(total, graph, { stress: crystal });
      return { energies: atoms.toArray(), forces: forces.toArray(), virial: virial?.toArray() };
    }, "potential");
    const energies = Float64Array.from(found.energies, (x, i) => scale * x + featuriser.references.get(numbers[i])!);
    const forces = Float64Array.from(found.forces, (x) => scale * x);
    // In f64, because thousands of eV leave f32 no room for meV.
    const energy = energies.reduce((sum, x) => sum + x, 0);
    if (!found.virial) return { energy, forces, energies };
    const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = Array.from(found.virial, (x) => (scale * x) / lattice!.volume);
    const stress: Matrix3 = [
      [xx, xy, xz],
      [yx, yy, yz],
      [zx, zy, zz],
    ];
    return { energy, forces, energies, stress };
  };
}
