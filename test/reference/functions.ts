/** Functions of one number in f64, by their definitions. */

/** erf x by e^(−x²)·Σ 2ⁿx^(2n+1)/(2n + 1)!!, whose terms have one sign. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const normalCdf = (x: number): number => (1 + erf(x * Math.SQRT1_2)) / 2;
export const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
export const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
export const relu = (x: number): number => Math.max(x, 0);
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
export const silu = (x: number): number => x * sigmoid(x);
export const gelu = (x: number): number => x * normalCdf(x);
export const geluTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
export const mish = (x: number): number => x * Math.tanh(softplus(x));
export const elu = (x: number, alpha = 1): number => (x > 0 ? x : alpha * Math.expm1(x));
export const leakyRelu = (x: number, slope = 0.01): number => (x > 0 ? x : slope * x);
export const selu = (x: number): number => 1.0507009873554805 * elu(x, 1.6732632423543772);
export const ssp = (x: number): number => softplus(x) - Math.LN2;
export const hardSwish = (x: number): number => (x * Math.min(Math.max(x + 3, 0), 6)) / 6;
export const hardSigmoid = (x: number): number => Math.min(Math.max(0.2 * x + 0.5, 0), 1);
export const lecunTanh = (x: number): number => 1.7159 * Math.tanh((2 * x) / 3);
export const logSigmoid = (x: number): number => -softplus(-x);
export const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x) / x);
