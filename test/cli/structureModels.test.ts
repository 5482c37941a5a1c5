import { beforeAll, expect, test } from "vitest";
import { completeConfig } from "../../src/cli/config.ts";
import { graphSpec } from "../../src/cli/featurisers.ts";
import { type StructureModel, structureNet } from "../../src/cli/models.ts";
import { init, Rng } from "../../src/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { parameterCount } from "../../src/nn/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const given = { data: "x.csv", target: "y" };

test.each([
  ["megnet", {}, { radius: 5, shells: "whole", pads: "mask", atoms: "numbers" }, 146_305],
  [
    "megnet",
    { nBlocks: 1, embedding: 16, radius: 4 },
    { radius: 4, shells: "whole", pads: "mask", atoms: "numbers" },
    52_209,
  ],
  [
    "alignn",
    {},
    { radius: 8, maxNeighbours: 12, shells: "whole", pads: "mask", atoms: "cgcnn", symmetric: true },
    4_026_753,
  ],
  [
    "alignn",
    { alignnLayers: 2, gcnLayers: 2, hiddenFeatures: 64, maxNeighbours: 8 },
    { radius: 8, maxNeighbours: 8, shells: "whole", pads: "mask", atoms: "cgcnn", symmetric: true },
    149_121,
  ],
] as const)("%s with %j", (model, own, spec, count) => {
  const config = completeConfig({ ...given, model, ...own });
  expect(JSON.parse(JSON.stringify(graphSpec(config)))).toEqual(spec);
  const net = buildModel(structureNet(model as StructureModel, config, 92, 1), new Rng(1));
  expect(parameterCount(net)).toBe(count);
});

test("what another model has is refused, with whose it is", () => {
  expect(() => completeConfig({ ...given, model: "megnet", hiddenFeatures: 64 })).toThrow(
    "--hidden-features is for alignn; the model is megnet.",
  );
  expect(() => completeConfig({ ...given, model: "alignn", nBlocks: 2 })).toThrow(
    /--n-blocks is for .*megnet; the model is alignn/,
  );
  expect(() => completeConfig({ ...given, model: "alignn", alignnLayers: -1 })).toThrow(
    "--alignn-layers must be a whole number ≥ 0, not -1.",
  );
});
