import { afterEach, describe, expect, test, vi } from "vitest";
import {
  displayWidth,
  formatCount,
  formatDuration,
  formatNumber,
  Progress,
  type ProgressOptions,
} from "../../src/train/progress.ts";

afterEach(() => vi.unstubAllEnvs());

/** A recorded stream and a clock that the test turns. */
function setUp(options: Partial<ProgressOptions> & { isTTY?: boolean; columns?: number; term?: string } = {}) {
  const { isTTY = false, columns, term = "xterm", ...rest } = options;
  vi.stubEnv("TERM", term);
  const clock = { ms: 5e6 };
  let text = "";
  const stream = { isTTY, columns, write: (piece: string) => (text += piece) };
  const progress = new Progress({
    epochs: 10,
    stepsPerEpoch: 4,
    stream,
    metric: "MAE",
    unit: "eV",
    color: false,
    now: () => clock.ms,
    ...rest,
  });
  /** Trains `count` epochs of 4 steps of 32 samples, `ms` a step; MAE falls until epoch 3. */
  const train = (count: number, ms: number, from = 0) => {
    for (let epoch = from + 1; epoch <= from + count; epoch++) {
      for (let step = 1; step <= 4; step++) {
        clock.ms += ms;
        progress.step({ epoch, step, loss: 1 / epoch, samples: 32 });
      }
      progress.epoch({ epoch, loss: 1 / epoch, metric: epoch <= 3 ? 0.5 / epoch : 0.3, best: epoch <= 3 });
    }
  };
  const take = () => {
    const taken = text;
    text = "";
    return taken;
  };
  /** What the terminal shows: of every row what was written last. */
  const screen = () => text.split("\n").map((row) => row.split("\r").at(-1)?.replaceAll("\x1b[K", ""));
  return { progress, stream, clock, train, take, screen };
}

describe("in a log", () => {
  test("one plain line per epoch, nothing else", () => {
    const { progress, train, take } = setUp();
    train(10, 500);
    progress.finish();
    expect(take().split("\n")).toEqual([
      "epoch  1/10  loss 1.000  MAE 0.5000 eV best  64 samples/s  ETA 18 s",
      "epoch  2/10  loss 0.5000  MAE 0.2500 eV best  64 samples/s  ETA 16 s",
      "epoch  3/10  loss 0.3333  MAE 0.1667 eV best  64 samples/s  ETA 14 s",
      "epoch  4/10  loss 0.2500  MAE 0.3000 eV  best 0.1667  64 samples/s  ETA 12 s",
      "epoch  5/10  loss 0.2000  MAE 0.3000 eV  best 0.1667  64 samples/s  ETA 10 s",
      "epoch  6/10  loss 0.1667  MAE 0.3000 eV  best 0.1667  64 samples/s  ETA 8.0 s",
      "epoch  7/10  loss 0.1429  MAE 0.3000 eV  best 0.1667  64 samples/s  ETA 6.0 s",
      "epoch  8/10  loss 0.1250  MAE 0.3000 eV  best 0.1667  64 samples/s  ETA 4.0 s",
      "epoch  9/10  loss 0.1111  MAE 0.3000 eV  best 0.1667  64 samples/s  ETA 2.0 s",
      "epoch 10/10  loss 0.1000  MAE 0.3000 eV  best 0.1667  64 samples/s  in 20 s",
      "",
    ]);
  });

  test("fast epochs: the first, the last, and one every two seconds", () => {
    const { progress, train, take } = setUp({ epochs: 1000 });
    train(1000, 1);
    progress.finish();
    expect(take().match(/epoch +\d+/g)).toEqual(["epoch    1", "epoch  501", "epoch 1000"]);
  });

  test("slow epochs: a sign of life every half minute", () => {
    const { progress, train, take } = setUp({ epochs: 1 });
    train(1, 20_000);
    progress.finish();
    expect(take().split("\n")).toEqual([
      "epoch 1/1 (50 %)  loss 1.000  1.6 samples/s  ETA 40 s",
      "epoch 1/1  loss 1.000  MAE 0.5000 eV best  1.6 samples/s  in 1:20",
      "",
    ]);
  });

  test.each([
    ["a file", { isTTY: false }],
    ["a dumb terminal", { isTTY: true, term: "dumb" }],
  ])("no escape sequences in %s, even where colour is the default", (_name, where) => {
    const { progress, train, take } = setUp({ ...where, color: undefined });
    train(2, 5000);
    progress.note("checkpoint written");
    progress.finish();
    const text = take();
    expect(text).toContain("checkpoint written\n");
    for (const control of ["\x1b", "\r"]) expect(text).not.toContain(control);
  });
});

describe("on a terminal", () => {
  test("one line, redrawn in place, with bar, times and the best so far", () => {
    const { progress, train, screen } = setUp({ isTTY: true, columns: 120 });
    train(3, 500);
    expect(screen()).toEqual([
      "epoch  3/10  ━━━━━━━━━─────────────────────  loss 0.3333  MAE 0.1667 eV best  64 samples/s  ETA 14 s",
    ]);
    train(1, 500, 3);
    expect(screen()).toEqual([
      "epoch  4/10  ━━━━━━━━━━━━──────────────────  loss 0.2500  MAE 0.3000 eV  best 0.1667  64 samples/s  ETA 12 s",
    ]);
    progress.finish();
    expect(screen()).toEqual([
      "epoch  4/10  ━━━━━━━━━━━━──────────────────  loss 0.2500  MAE 0.3000 eV  best 0.1667  64 samples/s  in 8.0 s",
      "",
    ]);
  });

  test("is redrawn at most ten times a second", () => {
    const { train, take } = setUp({ isTTY: true, epochs: 500 });
    train(500, 1);
    expect(take().split("\r").length - 1).toBeLessThanOrEqual(21);
  });

  test("notes stay above the bar", () => {
    const { progress, train, screen } = setUp({ isTTY: true, columns: 200 });
    train(1, 1000);
    progress.note("stopping after this step");
    const [note, bar] = screen();
    expect(note).toBe("stopping after this step");
    expect(bar).toMatch(/^epoch {2}1\/10 {2}━━━─+/);
  });

  test("never wider than the terminal; the least important goes first", () => {
    const shown = [120, 90, 75, 60, 45, 30, 20, 8].map((columns) => {
      const { train, screen } = setUp({ isTTY: true, columns, metric: "误差" });
      train(4, 1000);
      const line = screen()[0] ?? "";
      expect(displayWidth(line)).toBeLessThan(columns);
      return line;
    });
    expect(shown).toEqual([
      "epoch  4/10  ━━━━━━━━━━━━──────────────────  loss 0.2500  误差 0.3000 eV  best 0.1667  32 samples/s  ETA 24 s",
      "epoch  4/10  ━━━━──────  loss 0.2500  误差 0.3000 eV  best 0.1667  32 samples/s  ETA 24 s",
      "epoch  4/10  ━━━━─────  loss 0.2500  误差 0.3000 eV  best 0.1667  ETA 24 s",
      "epoch  4/10  loss 0.2500  误差 0.3000 eV  ETA 24 s",
      "epoch  4/10  loss 0.2500  误差 0.3000 eV",
      "epoch  4/10  loss 0.2500",
      "epoch  4/10  loss 0",
      "epoch  ",
    ]);
  });

  test("colour unless NO_COLOR says otherwise", () => {
    vi.stubEnv("NO_COLOR", "");
    const colored = setUp({ isTTY: true, color: undefined });
    colored.train(1, 1000);
    expect(colored.take()).toContain("\x1b[32mMAE 0.5000 eV best\x1b[0m");
    vi.stubEnv("NO_COLOR", "1");
    const plain = setUp({ isTTY: true, color: undefined });
    plain.train(1, 1000);
    expect(plain.take().replaceAll("\x1b[K", "")).not.toContain("\x1b");
  });

  test("control characters in names do not reach the terminal", () => {
    const { train, take } = setUp({ isTTY: true, metric: "a\x1b[2Jb\n", unit: "\x07" });
    train(1, 1000);
    const text = take().replaceAll("\x1b[K", "");
    for (const control of ["\x1b", "\x07", "\n"]) expect(text).not.toContain(control);
  });
});

test("quiet: nothing", () => {
  const { progress, train, take } = setUp({ isTTY: true, quiet: true });
  train(10, 1000);
  progress.note("x");
  progress.finish();
  expect(take()).toBe("");
});

test("a resumed run: the time left is that of the epochs left", () => {
  const { train, take } = setUp({ done: 5 });
  train(1, 500, 5);
  expect(take()).toBe("epoch  6/10  loss 0.1667  MAE 0.3000 eV  64 samples/s  ETA 8.0 s\n");
});

test("numbers", () => {
  const numbers = [0, 0.012345, 12.345, 1234.5678, 1.2345e-7, 12345678, -0.5, Number.NaN, -Infinity];
  expect(numbers.map(formatNumber)).toEqual([
    "0",
    "0.01235",
    "12.35",
    "1235",
    "1.235e-7",
    "1.235e+7",
    "-0.5000",
    "NaN",
    "-Infinity",
  ]);
  expect([0.123, 9.99, 99.96, 950, 999.6, 12345, 4.56e6, 7.8e9].map(formatCount)).toEqual([
    "0.123",
    "9.99",
    "100",
    "950",
    "1.00k",
    "12.3k",
    "4.56M",
    "7.80G",
  ]);
  expect([0, 0.44, 9.94, 9.96, 59.6, 187, 7509, 273600, Infinity, -1].map(formatDuration)).toEqual([
    "0.0 s",
    "0.4 s",
    "9.9 s",
    "10 s",
    "1:00",
    "3:07",
    "2:05:09",
    "3 d 4 h",
    "?",
    "?",
  ]);
});
