import { UserError } from "../core/errors.ts";
import type { PotentialFeaturiser } from "../data/potentialFeaturiser.ts";
import type { Fields, RunConfig } from "./config.ts";
import { POTENTIAL_MODELS } from "./models.ts";

/** Whether a run trains an interatomic potential: energies are sums over atoms, and forces their derivatives. */
export const isPotential = ({ energy }: Pick<RunConfig, "energy">): boolean => energy !== undefined;

/** The energy is what such a run predicts; its unit is eV. */
export function takeEnergy(fields: Fields, nameOf: (field: string) => string): void {
  const { energy, target } = fields;
  if (target !== undefined && target !== energy)
    throw new UserError(
      `${nameOf("target")} and ${nameOf("energy")} exclude each other.`,
      "--energy trains a potential, whose target is the energy; --target any other property.",
    );
  Object.assign(fields, { target: energy, unit: fields.unit ?? "eV" });
}

/** Whether the fields of a potential go together. */
export function checkPotential(config: RunConfig, nameOf: (field: string) => string): void {
  const { model, energy, readout, loss, maxNeighbours, task, unit } = config;
  const own = ["forces", "stress", "references", "energyWeight", "forcesWeight", "stressWeight"] as const;
  const fail = (what: string, hint: string): never => {
    throw new UserError(what, hint);
  };
  if (energy === undefined) {
    const lost = own.find((field) => config[field] !== undefined);
    if (lost) fail(`${nameOf(lost)} needs the energies that it belongs to.`, "Name them, too: --energy KEY");
    return;
  }
  if (!POTENTIAL_MODELS.includes(model))
    fail(`${nameOf("energy")} is for ${POTENTIAL_MODELS.join(", ")}; the model is ${model}.`, "Use --target instead.");
  if (task === "classification") fail(`${nameOf("task")} classification is not for potentials.`, "Leave it out.");
  // A run that starts from a model has its readout from there, or a sum all the same.
  if (readout !== "sum" && !(readout === undefined && config.from !== undefined))
    fail(`${nameOf("readout")} ${readout}: a potential's energy is the sum over its atoms.`, "Leave it out.");
  if (maxNeighbours !== undefined)
    fail(
      `${nameOf("maxNeighbours")}: a potential sees all neighbours within the radius; energies would jump.`,
      "Leave it out.",
    );
  if (loss === "robustL1") fail(`${nameOf("loss")} robustL1 is not for potentials.`, "Use mse, l1 or huber.");
  if (unit !== "eV") fail(`${nameOf("unit")}: a potential's unit is eV (and Å), not ${unit}.`, "Convert the file.");
  for (const weight of ["forces", "stress"] as const)
    if (config[weight] === undefined && config[`${weight}Weight`] !== undefined)
      fail(`${nameOf(`${weight}Weight`)} needs --${weight} KEY.`, "Name what it weighs, or leave it out.");
}

/** The potential in a few words. */
export function describePotential({ spec, elements }: PotentialFeaturiser): string[] {
  const learned = ["energies", ...(spec.forces ? ["forces"] : []), ...(spec.stress ? ["stresses"] : [])];
  return [`${learned.join(", ")} of ${elements.join(", ")}`, `all neighbours within ${spec.cutoff} Å`];
}
