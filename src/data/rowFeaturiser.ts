import { CrystalGraphFeaturiser, type CrystalGraphJson } from "./crystalGraph.ts";
import type { RowFeaturiser } from "./dataset.ts";
import { ElementSetFeaturiser, type ElementSetJson } from "./elementSet.ts";
import { Featuriser, type FeaturiserJson } from "./featuriser.ts";
import { ImageFeaturiser, type ImageFeaturiserJson } from "./imageFeaturiser.ts";
import { NBodyFeaturiser, type NBodyJson } from "./nbody.ts";
import { NodeFeaturiser, type NodeFeaturiserJson } from "./nodeFeaturiser.ts";
import { PointCloudFeaturiser, type PointCloudJson } from "./pointCloudFeaturiser.ts";
import { PotentialFeaturiser, type PotentialJson } from "./potentialFeaturiser.ts";

export type RowFeaturiserJson =
  | FeaturiserJson
  | CrystalGraphJson
  | ElementSetJson
  | ImageFeaturiserJson
  | NBodyJson
  | NodeFeaturiserJson
  | PointCloudJson
  | PotentialJson;

/** The featuriser, of whichever kind, that `toJSON` came from. @throws UserError for anything else */
export function featuriserFromJSON(json: RowFeaturiserJson): RowFeaturiser {
  if (!("kind" in json)) return Featuriser.fromJSON(json);
  if (json.kind === "elements") return ElementSetFeaturiser.fromJSON(json);
  if (json.kind === "nodes") return NodeFeaturiser.fromJSON(json);
  if (json.kind === "nbody") return NBodyFeaturiser.fromJSON(json);
  if (json.kind === "pointCloud") return PointCloudFeaturiser.fromJSON(json);
  if (json.kind === "potential") return PotentialFeaturiser.fromJSON(json);
  return json.kind === "images" ? ImageFeaturiser.fromJSON(json) : CrystalGraphFeaturiser.fromJSON(json);
}
