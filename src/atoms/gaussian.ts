import { cosPi } from "../core/portable.ts";
import { log } from "../core/portableLog.ts";
import type { Rng } from "../core/random.ts";

/** A number of the standard normal distribution, the same on every engine: Box & Muller, Ann. Math. Stat. 29, 610 (1958). */
export const gaussian = (rng: Rng): number => Math.sqrt(-2 * log(1 - rng.random())) * cosPi(2 * rng.random());
