/** Using a potential: relaxation, molecular dynamics, equations of state. They take any function of a structure. */
export {
  type Drift,
  DriftMeter,
  type DynamicsOptions,
  type DynamicsStep,
  dynamics,
  thermalVelocities,
} from "./dynamics.ts";
export { type EnergyModel, type Evaluation, GPA } from "./energyModel.ts";
export {
  birchMurnaghan,
  type EquationOfState,
  energyVolumeCurve,
  fitEquationOfState,
  scaled,
} from "./equationOfState.ts";
export { type RelaxOptions, type RelaxStep, relax } from "./relax.ts";
