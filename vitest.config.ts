import { defineConfig } from "vitest/config";

/** Tests that run pages in a browser, some of which measure that the page stays free: nothing else may take the cores meanwhile. */
const PAGES = [
  ...["test/browser/**/*.test.ts", "test/lab/**/*.test.ts", "test/viewer/**/*.test.ts"],
  ...["test/train/report.test.ts", "test/train/reportCrystals.test.ts", "test/train/structurePage.test.ts"],
];

const shared = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: "library",
          include: ["test/**/*.test.ts"],
          exclude: PAGES,
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...shared, name: "pages", include: PAGES, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
