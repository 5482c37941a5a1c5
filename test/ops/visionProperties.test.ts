import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
  adaptiveAvgPool2d,
  add,
  avgPool2d,
  concat,
  conv1d,
  conv2d,
  convTranspose2d,
  globalAvgPool,
  globalMaxPool,
  init,
  maxPool2d,
  mul,
  pad,
  Rng,
  type Shape,
  scope,
  slice,
  sub,
  type Tensor,
  upsample,
} from "../../src/index.ts";

/** Laws that convolution and pooling obey whatever their sizes. Numbers are normal deviates of the drawn seed. */
beforeAll(async () => {
  await init({ threads: 2 });
});

const RUNS = { seed: 4, numRuns: 40 };
const seed = fc.nat();
const small = fc.integer({ min: 1, max: 3 });
const each = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<[T, T]> => fc.tuple(of, of);

/** A convolution that fits: `more` rows and columns beyond the kernel's reach, or as many as the padding leaves. */
const convolution = fc
  .record({
    ...{ seed, images: small, groups: small, channels: small, outputs: small },
    kernel: each(fc.integer({ min: 1, max: 4 })),
    stride: each(small),
    padding: each(fc.nat({ max: 2 })),
    dilation: each(fc.integer({ min: 1, max: 2 })),
    more: each(fc.nat({ max: 7 })),
  })
  .map(({ seed, images, groups, channels, outputs, kernel, more, ...options }) => {
    const size = [0, 1].map((d) => {
      const reach = options.dilation[d] * (kernel[d] - 1) + 1;
      return Math.max(1, reach - 2 * options.padding[d]) + more[d];
    });
    const x: Shape = [images, groups * channels, ...size];
    const weight: Shape = [groups * outputs, channels, ...kernel];
    return { seed, x, weight, options: { ...options, groups } };
  });

const images = fc
  .record({ seed, images: small, channels: fc.integer({ min: 1, max: 6 }), size: each(fc.integer({ min: 1, max: 9 })) })
  .map(({ seed, images, channels, size }) => ({ seed, x: [images, channels, ...size] }));

/** `body` on cases of `arbitrary`, each in a scope of its own. */
function law<T extends { seed: number }>(arbitrary: fc.Arbitrary<T>, body: (drawn: T, rng: Rng) => void): void {
  fc.assert(
    fc.property(arbitrary, (drawn) => scope(() => body(drawn, new Rng(drawn.seed)))),
    RUNS,
  );
}

const largest = (x: Tensor): number => x.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const total = (x: Tensor): number => x.data.reduce((sum, v) => sum + v, 0);

/** Equal to 1e-5 of the largest element. */
function same(found: Tensor, known: Tensor): void {
  expect(found.shape).toEqual(known.shape);
  expect(largest(sub(found, known))).toBeLessThanOrEqual(1e-5 * Math.max(1, largest(known)));
}

test("conv2d commutes with shifts of the image by its stride", () => {
  law(convolution, ({ x, weight, options }, rng) => {
    const { stride, dilation, groups } = options;
    const image = rng.normal([...x.slice(0, 2), ...x.slice(2).map((n, d) => n + 4 + stride[d])]);
    const w = rng.normal(weight);
    for (const axis of [2, 3]) {
      const shifted = slice(image, { axis, start: stride[axis - 2] });
      const whole = conv2d(image, w, { stride, dilation, groups });
      same(conv2d(shifted, w, { stride, dilation, groups }), slice(whole, { axis, start: 1 }));
    }
  });
});

test("conv2d is linear in the image and in the weight", () => {
  law(convolution, ({ x, weight, options }, rng) => {
    const [a, b] = [rng.normal(x), rng.normal(x)];
    const [v, w] = [rng.normal(weight), rng.normal(weight)];
    same(
      conv2d(add(a.mul(2), b.mul(-0.7)), w, options),
      add(conv2d(a, w, options).mul(2), conv2d(b, w, options).mul(-0.7)),
    );
    same(
      conv2d(a, add(v.mul(2), w.mul(-0.7)), options),
      add(conv2d(a, v, options).mul(2), conv2d(a, w, options).mul(-0.7)),
    );
  });
});

test("convTranspose2d is the adjoint of conv2d: ⟨x ∗ w, g⟩ = ⟨x, g ∗ᵀ w⟩", () => {
  law(convolution, ({ x, weight, options }, rng) => {
    const { stride, padding, dilation } = options;
    const [image, w] = [rng.normal(x), rng.normal(weight)];
    const y = conv2d(image, w, options);
    const g = rng.normal(y.shape);
    // The rows and columns that no window reaches.
    const [height, width] = [0, 1].map((d) => {
      const reached = (y.shape[2 + d] - 1) * stride[d] + dilation[d] * (weight[2 + d] - 1) + 1;
      return x[2 + d] + 2 * padding[d] - reached;
    });
    const back = convTranspose2d(g, w, { ...options, outputPadding: [height, width] });
    expect(back.shape).toEqual(x);
    const scale = total(mul(y, g).abs()) + total(mul(image, back).abs());
    expect(Math.abs(total(mul(y, g)) - total(mul(image, back)))).toBeLessThanOrEqual(1e-5 * scale);
  });
});

test("groups are independent convolutions, one after the other; depthwise ones work channel by channel", () => {
  law(convolution, ({ x, weight, options: { groups, ...options } }, rng) => {
    const [image, w, bias] = [rng.normal(x), rng.normal(weight), rng.normal([weight[0]])];
    for (const parts of [groups, x[1]]) {
      const filters = parts === groups ? w : rng.normal([2 * parts, 1, ...weight.slice(2)]);
      const shifts = parts === groups ? bias : rng.normal([2 * parts]);
      const part = (t: Tensor, axis: number, k: number): Tensor => {
        const size = t.shape[axis] / parts;
        return slice(t, { axis, start: k * size, end: (k + 1) * size });
      };
      const apart = Array.from({ length: parts }, (_, k) =>
        conv2d(part(image, 1, k), part(filters, 0, k), part(shifts, 0, k), options),
      );
      same(conv2d(image, filters, shifts, { ...options, groups: parts }), concat(apart, { axis: 1 }));
    }
  });
});

test("padding is a convolution of the padded image; conv1d is conv2d of one row", () => {
  law(convolution, ({ x, weight, options: { padding, ...options } }, rng) => {
    const [image, w] = [rng.normal(x), rng.normal(weight)];
    const padded = [0, 1].reduce((y, d) => pad(y, { axis: 2 + d, before: padding[d], after: padding[d] }), image);
    same(conv2d(image, w, { ...options, padding }), conv2d(padded, w, options));

    const [line, taps] = [rng.normal([x[0], x[1], 1, x[3]]), rng.normal([weight[0], weight[1], 1, weight[3]])];
    const across = { stride: options.stride[1], padding: padding[1], dilation: options.dilation[1] };
    const row = conv1d(line.squeeze({ axis: 2 }), taps.squeeze({ axis: 2 }), { ...across, groups: options.groups });
    const flat = conv2d(line, taps, { ...options, padding: [0, padding[1]] });
    same(row, flat.squeeze({ axis: 2 }));
  });
});

test("no window's average passes its maximum", () => {
  const windows = fc.record({ kernelSize: small, stride: small, ceilMode: fc.boolean(), padded: fc.boolean() });
  law(
    fc.tuple(images, windows).map(([a, b]) => ({ ...a, ...b })),
    ({ x, kernelSize, padded, ...options }, rng) => {
      const image = rng.normal([...x.slice(0, 2), ...x.slice(2).map((n) => n + kernelSize - 1)]);
      const window = { kernelSize, padding: padded ? Math.floor(kernelSize / 2) : 0, ...pick(options) };
      const most = maxPool2d(image, window);
      const average = avgPool2d(image, { ...window, countIncludePad: false });
      expect(most.shape).toEqual(average.shape);
      expect(Math.min(...sub(most, average).data)).toBeGreaterThanOrEqual(-1e-6);
    },
  );
});

const pick = ({ stride, ceilMode }: { stride: number; ceilMode: boolean }) => ({ stride, ceilMode });

test("adaptive pooling to 1 × 1 is the global average, to the image's size the image; one window is a global pool", () => {
  law(images, ({ x }, rng) => {
    const image = rng.normal(x);
    const [height, width] = x.slice(2);
    same(adaptiveAvgPool2d(image, { outputSize: 1 }).reshape(x[0], x[1]), globalAvgPool(image));
    same(adaptiveAvgPool2d(image, { outputSize: [height, width] }), image);
    same(avgPool2d(image, { kernelSize: [height, width] }).reshape(x[0], x[1]), globalAvgPool(image));
    same(maxPool2d(image, { kernelSize: [height, width] }).reshape(x[0], x[1]), globalMaxPool(image));
  });
});

test("pooling undoes enlarging: upsample, nearest, then average or maximum", () => {
  law(
    fc.tuple(images, each(small)).map(([a, scale]) => ({ ...a, scale })),
    ({ x, scale }, rng) => {
      const image = rng.normal(x);
      const large = upsample(image, { scaleFactor: scale });
      same(avgPool2d(large, { kernelSize: scale }), image);
      expect(maxPool2d(large, { kernelSize: scale }).toArray()).toEqual(image.toArray());
    },
  );
});

test("bilinear enlarging keeps planes: corners aligned, a ramp stays a ramp", () => {
  law(
    fc.tuple(images, each(fc.integer({ min: 2, max: 12 }))).map(([a, size]) => ({ ...a, size })),
    ({ x, size }, rng) => {
      const [height, width] = x.slice(2);
      const [a, b] = [rng.random(), rng.random()];
      const ramp = (h: number, w: number, rows: number, columns: number): number[] =>
        Array.from({ length: h * w }, (_, i) => a * Math.floor(i / w) * rows + b * (i % w) * columns);
      const image = rng.normal([1, 1, height, width]).set(ramp(height, width, 1, 1));
      const known = rng.normal([1, 1, ...size]);
      known.set(ramp(size[0], size[1], (height - 1) / (size[0] - 1), (width - 1) / (size[1] - 1)));
      same(upsample(image, { size, mode: "bilinear", alignCorners: true }), known);
    },
  );
});
