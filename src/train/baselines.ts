/** What simple predictors reach on the same data: the least that a network must beat. */

/** The mean of each target column, for every row. */
export function meanPredictor(y: Float32Array, outputs: number): (rows: number) => Float32Array {
  const mean = new Float64Array(outputs);
  const n = y.length / outputs;
  for (let i = 0; i < y.length; i++) mean[i % outputs] += y[i] / n;
  return (rows) => Float32Array.from({ length: rows * outputs }, (_, i) => mean[i % outputs]);
}

/**
 * Linear regression by the normal equations of centred features, with a ridge of 1e-6 of their mean square so that collinear
 * columns do no harm: x [n, width], y [n, outputs] → a predictor of x [m, width].
 */
export function linearRegression(
  x: Float32Array,
  y: Float32Array,
  n: number,
): (x: Float32Array, rows: number) => Float32Array {
  const width = x.length / n;
  const outputs = y.length / n;
  const meanX = columnMeans(x, n);
  const meanY = columnMeans(y, n);
  const gram = new Float64Array(width * width);
  const moment = new Float64Array(width * outputs);
  const row = new Float64Array(width);
  for (let r = 0; r < n; r++) {
    for (let i = 0; i < width; i++) row[i] = x[r * width + i] - meanX[i];
    for (let i = 0; i < width; i++) {
      if (row[i] === 0) continue;
      for (let j = 0; j <= i; j++) gram[i * width + j] += row[i] * row[j];
      for (let c = 0; c < outputs; c++) moment[i * outputs + c] += row[i] * (y[r * outputs + c] - meanY[c]);
    }
  }
  let trace = 0;
  for (let i = 0; i < width; i++) trace += gram[i * width + i];
  const ridge = (1e-6 * trace) / width || 1;
  for (let i = 0; i < width; i++) gram[i * width + i] += ridge;
  choleskySolve(gram, moment, width, outputs);
  return (features, rows) =>
    Float32Array.from({ length: rows * outputs }, (_, at) => {
      const [r, c] = [Math.floor(at / outputs), at % outputs];
      let sum = meanY[c];
      for (let i = 0; i < width; i++) sum += (features[r * width + i] - meanX[i]) * moment[i * outputs + c];
      return sum;
    });
}

function columnMeans(values: Float32Array, n: number): Float64Array {
  const width = values.length / n;
  const mean = new Float64Array(width);
  for (let i = 0; i < values.length; i++) mean[i % width] += values[i] / n;
  return mean;
}

/** Solves A·X = B in place of B for a positive definite A given by its lower triangle, which is overwritten. */
function choleskySolve(a: Float64Array, b: Float64Array, n: number, columns: number): void {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / a[j * n + j];
    }
  }
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < i; k++) b[i * columns + c] -= a[i * n + k] * b[k * columns + c];
      b[i * columns + c] /= a[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) b[i * columns + c] -= a[k * n + i] * b[k * columns + c];
      b[i * columns + c] /= a[i * n + i];
    }
  }
}
