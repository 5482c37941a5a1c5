import { UserError } from "../core/errors.ts";
import type { LabelledDataset } from "../data/dataset.ts";
import { BODIES } from "../data/nbody.ts";
import type { Table } from "../data/table.ts";
import type { Architecture } from "../models/index.ts";
import type { Split } from "../train/report.ts";
import type { Task, TaskConfig } from "../train/task.ts";
import type { RunConfig } from "./config.ts";

/** Runs on embedded:nbody: where particles will be. */
export const NBODY = "embedded:nbody";

/** Whether a run, or a row's table, is of moving particles. */
export const isMotion = ({ data }: Pick<RunConfig, "data">): boolean => data.split("?", 1)[0] === NBODY;

/** Positions as they are: a scale of its own for each axis of each particle would break what turning a system must not change. */
export const motionTask = (): TaskConfig => ({
  kind: "regression",
  loss: "mse",
  mean: new Array(3 * BODIES).fill(0),
  std: new Array(3 * BODIES).fill(1),
  monitor: "mse",
});

export const motionNet = ({ model, nAtomBasis: hidden, nInteractions: layers }: RunConfig): Architecture => ({
  model: model === "gnn" ? "gnn" : "egnn_vel",
  hidden,
  layers,
});

/** Fields of a run that mean nothing for moving particles: all see each other, and squared errors are learned from. */
const IDLE = ["radius", "maxNeighbours", "shells", "readout", "energy", "forces", "stress"];

/** @throws UserError for what is not for moving particles, and for a net of particles without them */
export function checkMotion(config: RunConfig, nameOf: (field: string) => string): void {
  const { model, data, loss = "mse" } = config;
  if (!isMotion(config)) {
    if (model !== "gnn") return;
    throw new UserError(
      `gnn learns from moving particles; ${data} are none.`,
      `Use --data ${NBODY}, or another model.`,
    );
  }
  const idle = IDLE.find((field) => (config as Record<string, unknown>)[field] !== undefined);
  if (idle) throw new UserError(`${nameOf(idle)} is for structures; ${data} are moving particles.`, "Leave it out.");
  if (loss !== "mse") throw new UserError(`${nameOf("loss")} of moving particles is mse alone, not ${loss}.`);
}

/** What a straight line says, x + T·v, with the T that suits the training systems best. */
export function straightLine(
  tables: Partial<Record<Split, Table>> & { train: Table },
  data: Partial<Record<Split, LabelledDataset>>,
  task: Task,
): { name: string; metrics: Partial<Record<Split, Record<string, number>>> } {
  const { x, v } = stateOf(tables.train);
  const future = tables.train.targets!.values;
  let [dv, vv] = [0, 0];
  for (let k = 0; k < x.length; k++) {
    dv += (future[k] - x[k]) * v[k];
    vv += v[k] ** 2;
  }
  const time = dv / vv;
  const metrics = Object.fromEntries(
    (Object.entries(data) as [Split, LabelledDataset][]).map(([split, { y }]) => {
      const state = stateOf(tables[split]!);
      return [
        split,
        task.metrics(
          Float32Array.from(state.x, (value, k) => value + time * state.v[k]),
          y,
        ),
      ];
    }),
  );
  return { name: `a straight line, x + ${time.toFixed(2)}·v`, metrics };
}

/** Positions and velocities [rows · 3 · particles] among a table's numbers. */
function stateOf({ numeric: { values } }: Table): { x: Float64Array; v: Float64Array } {
  const count = (3 * values.length) / 7;
  const at = (first: number): Float64Array =>
    Float64Array.from({ length: count }, (_, k) => values[7 * Math.floor(k / 3) + first + (k % 3)]);
  return { x: at(1), v: at(4) };
}
