import { beforeAll, expect, test } from "vitest";
import { init, Rng } from "../../src/index.ts";
import { type Architecture, buildModel, headOf, withOutputs } from "../../src/models/index.ts";
import { parameters, replaceHead } from "../../src/nn/index.ts";

beforeAll(async () => {
  await init({ threads: 1 });
});

const small = { nAtomBasis: 8, nInteractions: 1, nRbf: 4 };

/** An architecture, its head, and whether that is one linear layer, which `replaceHead` can replace. */
const HEADS: [Architecture, head: string[], linear: boolean][] = [
  [
    { model: "cgcnn", inputs: 5, outputs: 1, atomFeaLen: 4, nConv: 1, hFeaLen: 6 },
    ["fc_out.weight", "fc_out.bias"],
    true,
  ],
  [{ model: "schnet", outputs: 2, ...small }, ["outnet.1.weight", "outnet.1.bias"], true],
  [{ model: "painn", outputs: 1, ...small }, ["outnet.1.weight", "outnet.1.bias"], true],
  [
    { model: "megnet", outputs: 1, embedding: 4, blocks: 1 },
    ["output_proj.layers.4.weight", "output_proj.layers.4.bias"],
    true,
  ],
  [
    { model: "alignn", inputs: 4, outputs: 1, alignnLayers: 1, gcnLayers: 1, hiddenFeatures: 8 },
    ["fc.weight", "fc.bias"],
    true,
  ],
  [{ model: "mpnn", outputs: 1, dim: 4, hidden: 4, steps: 1 }, ["lin2.weight", "lin2.bias"], true],
  [{ model: "egnn", outputs: 3, hidden: 4, layers: 1 }, ["node_dec.2.weight", "node_dec.2.bias"], true],
  [{ model: "pointnet", outputs: 4, shared: [4, 4, 8], head: [8, 6] }, ["fc3.weight", "fc3.bias"], true],
  [{ model: "mlp", sizes: [3, 4, 2] }, ["layers.1.weight", "layers.1.bias"], true],
  [{ model: "tinyvgg", inputs: [1, 16, 16], outputs: 2 }, ["output.weight", "output.bias"], true],
  [
    { model: "crabnet", inputs: 4, outputs: 1, width: 8, heads: 2, layers: 1, feedForward: 8, hidden: [4] },
    ["output_nn.fc_out.weight", "output_nn.fc_out.bias"],
    false,
  ],
  [{ model: "gcn", inputs: 3, outputs: 2, hidden: [4] }, ["convs.1.lin.weight"], true],
  [
    { model: "gat", inputs: 3, outputs: 2, hidden: [4], heads: 2 },
    ["convs.1.lin.weight", "convs.1.att_src", "convs.1.att_dst", "convs.1.bias"],
    false,
  ],
  [
    { model: "sage", inputs: 3, outputs: 2, hidden: [4] },
    ["convs.1.lin_l.weight", "convs.1.lin_l.bias", "convs.1.lin_r.weight"],
    false,
  ],
];

test.each(HEADS)("%j has a head", (architecture, head, linear) => {
  expect([...headOf(architecture)].sort()).toEqual([...head].sort());
  const wider = buildModel(withOutputs(architecture, 7), new Rng(1));
  const model = buildModel(architecture, new Rng(1));
  if (!linear) return expect(() => replaceHead(model, 7, new Rng(2))).toThrow(/goes with the number of outputs, too/);
  expect(head).toContain(`${replaceHead(model, 7, new Rng(2))}.weight`);
  expect([...parameters(model)].map(([name, t]) => [name, t.shape])).toEqual(
    [...parameters(wider)].map(([name, t]) => [name, t.shape]),
  );
});

test("nets that predict motion have no head", () => {
  const architecture = { model: "gnn", hidden: 4, layers: 1 } as const;
  expect([...headOf(architecture)]).toEqual([]);
  expect(withOutputs(architecture, 3)).toEqual(architecture);
});
