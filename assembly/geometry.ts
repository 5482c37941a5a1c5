/** y[e] = angle between the rows u[e], v[e] [edges, 3] in 0 … π, 0 where one of them is 0. Computed in f64: within 0.501 ulp of f32. */
export function angles(begin: i32, end: i32, y: usize, u: usize, v: usize): void {
  for (let e = begin; e < end; e++) {
    const p = u + <usize>e * 12;
    const q = v + <usize>e * 12;
    const ux = <f64>load<f32>(p), uy = <f64>load<f32>(p, 4), uz = <f64>load<f32>(p, 8);
    const vx = <f64>load<f32>(q), vy = <f64>load<f32>(q, 4), vz = <f64>load<f32>(q, 8);
    const x = uy * vz - uz * vy;
    const z = ux * vy - uy * vx;
    const w = uz * vx - ux * vz;
    const across = Math.sqrt(x * x + w * w + z * z);
    store<f32>(y + (<usize>e << 2), <f32>Math.atan2(across, ux * vx + uy * vy + uz * vz));
  }
}
