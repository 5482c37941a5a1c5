import type { Ball, Site, Stick } from "./scene.ts";

/** Atoms are bonded whose distance is below this times the sum of their covalent radii. */
const TOLERANCE = 1.15;

/**
 * Bonds between the balls by covalent radii. Metals bond to each other only where there is nothing else: the cations of an oxide
 * often come closer than the sum of their radii, and lines between them would hide the structure. Linear in the number of balls.
 */
export function bondsOf(sites: readonly Site[], balls: readonly Ball[]): Stick[] {
  const side = 2 * TOLERANCE * sites.reduce((most, { radius }) => Math.max(most, radius), 0);
  const onlyMetals = sites.every(({ metal }) => metal);
  const boxes = new Map<string, number[]>();
  const boxOf = ({ position }: Ball): number[] => position.map((x) => Math.floor(x / side));
  const sticks: Stick[] = [];
  balls.forEach((ball, to) => {
    const [x, y, z] = boxOf(ball);
    for (let n = 0; n < 27; n++) {
      const key = `${x + (n % 3) - 1},${y + (Math.floor(n / 3) % 3) - 1},${z + Math.floor(n / 9) - 1}`;
      // Those before this one only: each pair once.
      for (const from of boxes.get(key) ?? []) if (bonded(balls[from], ball)) sticks.push({ from, to, ghost: false });
    }
    const own = `${x},${y},${z}`;
    boxes.set(own, [...(boxes.get(own) ?? []), to]);
  });
  return sticks;

  function bonded(a: Ball, b: Ball): boolean {
    const [u, v] = [sites[a.atom], sites[b.atom]];
    if (u.metal && v.metal && !onlyMetals) return false;
    const distance = Math.hypot(...a.position.map((x, k) => x - b.position[k]));
    return distance > 0.1 && distance < TOLERANCE * (u.radius + v.radius);
  }
}
