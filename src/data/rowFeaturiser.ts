import { CrystalGraphFeaturiser, type CrystalGraphJson } from "./crystalGraph.ts";
import type { RowFeaturiser } from "./dataset.ts";
import { Featuriser, type FeaturiserJson } from "./featuriser.ts";

export type RowFeaturiserJson = FeaturiserJson | CrystalGraphJson;

/** The featuriser, of whichever kind, that `toJSON` came from. @throws UserError for anything else */
export function featuriserFromJSON(json: RowFeaturiserJson): RowFeaturiser {
  return "kind" in json ? CrystalGraphFeaturiser.fromJSON(json) : Featuriser.fromJSON(json);
}
