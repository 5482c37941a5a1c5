import { afterAll, beforeAll, expect, test } from "vitest";
import { buildIfStale } from "../cli/helpers/build.ts";
import { killAndResume, numbers, undisturbed, VICTIMS, type Victim } from "../cli/helpers/kill.ts";
import { folder } from "../cli/helpers/spinel.ts";
import { writeTables } from "../cli/helpers/tables.ts";

const TRIALS = 200;
/** Kills of one trial at most: a run that is killed early has less to lose each time. */
const KILLS = 3;

const { path, remove } = folder();
const victims: Victim[] = [];
beforeAll(async () => {
  await buildIfStale();
  writeTables(path);
  for (const args of Object.values(VICTIMS)) victims.push(await undisturbed(path, args));
}, 600_000);
afterAll(remove);

test(`${TRIALS} runs, killed at random moments and resumed: none differs, no file is unreadable`, async () => {
  const seed = Number(process.env.SEED ?? 1);
  const random = numbers(seed);
  const failures: string[] = [];
  let [kills, different, unreadable] = [0, 0, 0];
  for (let i = 0; i < TRIALS; i++) {
    const trial = await killAndResume(path, victims[i % victims.length], 1 + (i % KILLS), random);
    kills += trial.kills;
    if (trial.different.length > 0) different++;
    if (trial.unreadable.length > 0) unreadable++;
    for (const what of [...trial.different, ...trial.unreadable]) failures.push(`trial ${i}: ${what}`);
    if ((i + 1) % 20 === 0)
      console.log(`${i + 1} trials, ${kills} kills: ${different} different, ${unreadable} unreadable (SEED=${seed})`);
  }
  expect(failures).toEqual([]);
  expect(kills).toBeGreaterThan(TRIALS / 2);
});
