import { CrystalGraphFeaturiser, type CrystalGraphJson } from "./crystalGraph.ts";
import type { RowFeaturiser } from "./dataset.ts";
import { Featuriser, type FeaturiserJson } from "./featuriser.ts";
import { ImageFeaturiser, type ImageFeaturiserJson } from "./imageFeaturiser.ts";

export type RowFeaturiserJson = FeaturiserJson | CrystalGraphJson | ImageFeaturiserJson;

/** The featuriser, of whichever kind, that `toJSON` came from. @throws UserError for anything else */
export function featuriserFromJSON(json: RowFeaturiserJson): RowFeaturiser {
  if (!("kind" in json)) return Featuriser.fromJSON(json);
  return json.kind === "images" ? ImageFeaturiser.fromJSON(json) : CrystalGraphFeaturiser.fromJSON(json);
}
