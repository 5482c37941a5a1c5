import { readFileSync } from "node:fs";
import { UserError } from "../core/errors.ts";
import { CrystalGraphFeaturiser, type CrystalGraphSpec } from "../data/crystalGraph.ts";
import type { RowFeaturiser } from "../data/dataset.ts";
import { ElementSetFeaturiser } from "../data/elementSet.ts";
import { Featuriser } from "../data/featuriser.ts";
import { ImageFeaturiser } from "../data/imageFeaturiser.ts";
import { NBodyFeaturiser } from "../data/nbody.ts";
import { NodeFeaturiser } from "../data/nodeFeaturiser.ts";
import { PointCloudFeaturiser } from "../data/pointCloudFeaturiser.ts";
import { PotentialFeaturiser } from "../data/potentialFeaturiser.ts";
import { Table } from "../data/table.ts";
import { fileError } from "../io/files.ts";
import type { RunConfig } from "./config.ts";
import { imageFeaturiser } from "./images.ts";
import { needsStructures } from "./models.ts";
import { isMotion } from "./motion.ts";
import { describeNodes } from "./nodes.ts";
import { readOrigin } from "./origin.ts";
import { describePotential, isPotential } from "./potentialConfig.ts";
import type { Parts } from "./prepare.ts";

/** What turns the rows of a run into its model's inputs. */
export async function featuriserOf(config: RunConfig, { train, all, atoms }: Parts): Promise<RowFeaturiser> {
  if (train.images) return imageFeaturiser(config, train);
  if (train.nodes) return NodeFeaturiser.fit(train.nodes[0].of);
  if (isPotential(config)) {
    const { radius = 0, forces, stress } = config;
    return PotentialFeaturiser.fit({ cutoff: radius, forces, stress }, train, atoms);
  }
  if (isMotion(config)) return new NBodyFeaturiser();
  if (config.model === "pointnet") return pointCloudFeaturiser(config);
  const origin = config.from === undefined ? undefined : await readOrigin(config.from);
  if (origin && !(origin.featuriser instanceof PotentialFeaturiser)) return origin.featuriser;
  if (needsStructures(config.model)) return new CrystalGraphFeaturiser(graphSpec(config));
  if (config.model === "crabnet") return ElementSetFeaturiser.read(config.elementVectors!);
  const formula = config.features ?? (train.formulas ? "magpie" : "none");
  if (config.model === "elemnet" && formula !== "fractions" && formula !== "allFractions")
    throw new UserError(
      `ElemNet learns from element fractions, not from ${formula}.`,
      "Leave out --features, or train an mlp.",
    );
  const spec = {
    formula: formula === "none" ? undefined : formula,
    numeric: train.numeric.names,
    categorical: train.categorical.names,
    standardise: config.model !== "elemnet",
  };
  return Featuriser.fit(spec, train, all);
}

function pointCloudFeaturiser({ points, augment = "up" }: RunConfig): PointCloudFeaturiser {
  if (augment !== "up" && augment !== "none")
    throw new UserError(
      `--augment of pointnet is up (turned about the y axis and shaken, the default) or none, not ${JSON.stringify(augment)}.`,
    );
  return new PointCloudFeaturiser({ points, augment });
}

/** How a crystal model's configuration makes graphs of structures. Models without atom vectors are told the elements. */
export function graphSpec(config: RunConfig): CrystalGraphSpec {
  const { radius, maxNeighbours, shells = "whole", pads = "mask", atomVectors = "numbers" } = config;
  const atoms = areKnownVectors(atomVectors) ? atomVectors : readAtomVectors(atomVectors);
  const symmetric = config.model === "alignn" ? true : undefined;
  return { radius: radius!, maxNeighbours, shells, pads, atoms, symmetric };
}

/** Whether the atom vectors are of a kind that is there; otherwise the name is a file's. */
export const areKnownVectors = (name: string): name is "cgcnn" | "onehot" | "numbers" =>
  name === "cgcnn" || name === "onehot" || name === "numbers";

/** A file like CGCNN's atom_init.json: { "1": [0, 1, …], "2": … } by atomic number, or by symbol. */
function readAtomVectors(file: string): Record<string, number[]> {
  let vectors: unknown;
  try {
    vectors = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserError(`${file} is not JSON: ${error.message}.`, VECTORS);
    throw fileError(file, error);
  }
  if (typeof vectors !== "object" || vectors === null || Array.isArray(vectors) || Object.keys(vectors).length === 0)
    throw new UserError(`${file} holds no atom vectors.`, VECTORS);
  try {
    new CrystalGraphFeaturiser({ atoms: vectors as Record<string, number[]> });
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${file}: ${error.message}`, VECTORS) : error;
  }
  return vectors as Record<string, number[]>;
}

const VECTORS =
  'Atom vectors are all of one length: { "1": [0, 1, …], "8": [1, 0, …] }; cgcnn and onehot need no file.';

/** The rows whose structures make a graph. With `skipBad` the others are dropped, otherwise the first of them is an error. */
export function usable(table: Table, featuriser: Pick<CrystalGraphFeaturiser, "check">, skipBad = false): Table {
  const [good, bad]: [number[], Table["dropped"][number][]] = [[], []];
  table.structures!.forEach((structure, row) => {
    try {
      featuriser.check(structure);
      good.push(row);
    } catch (error) {
      if (!(skipBad && error instanceof UserError)) throw error;
      bad.push({ line: table.lines[row], reason: error.message.split("\n")[0] });
    }
  });
  return bad.length > 0 ? new Table({ ...table.rows(good), dropped: [...table.dropped, ...bad] }) : table;
}

/** The features in a few words, for the run's first lines and its report. */
export function describeFeatures(featuriser: RowFeaturiser): string[] {
  if (featuriser instanceof ImageFeaturiser) return describeImages(featuriser);
  if (featuriser instanceof NodeFeaturiser) return [describeNodes(featuriser)];
  if (featuriser instanceof NBodyFeaturiser)
    return ["positions and velocities of particles, products of their charges"];
  if (featuriser instanceof PointCloudFeaturiser) return [`positions of ${featuriser.spec.points} points`];
  if (featuriser instanceof PotentialFeaturiser) return describePotential(featuriser);
  if (featuriser instanceof CrystalGraphFeaturiser) {
    const { radius, maxNeighbours, shells, atoms } = featuriser.spec;
    const nearest = maxNeighbours === undefined ? "all" : `the ${maxNeighbours} nearest`;
    const own = typeof atoms === "string" ? atoms : "own";
    return [
      `${nearest} neighbours within ${radius} Å${maxNeighbours !== undefined && shells === "whole" ? " in whole shells" : ""}`,
      atoms === "numbers" ? "learned atom vectors" : `${own} atom vectors`,
    ];
  }
  if (featuriser instanceof ElementSetFeaturiser)
    return [`elements and their fractions, vectors: ${featuriser.spec.vectors}`];
  const { formula, numeric = [], categorical = [] } = (featuriser as Featuriser).spec;
  return [...(formula ? [`${formula} of the formula`] : []), ...numeric, ...categorical];
}

/** "grey images of 64 × 64", "signals of 700 points". */
function describeImages({ shape: [channels, height, width] }: ImageFeaturiser): string[] {
  if (height === 1) return [`signals of ${width} points${channels > 1 ? ` in ${channels} channels` : ""}`];
  return [`${channels === 1 ? "grey" : "colour"} images of ${height} × ${width}`];
}
