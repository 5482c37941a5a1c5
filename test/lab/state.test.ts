import { expect, test } from "vitest";
import { choice, flag, list, readState, whole, writeState } from "../../src/lab/kit/state.ts";
import { FIELDS } from "../../src/lab/playground/config.ts";

test("every value of the playground's address comes back", () => {
  const { state } = readState(FIELDS, "");
  expect(state).toMatchObject({ dataset: "circle", networkShape: [4, 2], features: ["x1", "x2"], learningRate: 0.03 });
  const changed = {
    ...state,
    dataset: "spiral" as const,
    noise: 25,
    features: ["x1", "sinX2"] as const,
    networkShape: [],
    learningRate: 0.00001 as const,
    seed: 123,
    discretize: true,
  };
  const query = writeState(FIELDS, changed);
  expect(query).toContain("features=x1,sinX2&networkShape=&");
  expect(readState(FIELDS, query)).toEqual({ state: changed, rejected: [] });
});

test("what stands for no value is reported and left at its start", () => {
  const query =
    "dataset=moons&noise=51&percTrainData=5&features=&networkShape=4,9&learningRate=0.02&seed=-1&discretize=yes";
  const { state, rejected } = readState(FIELDS, query);
  expect(state).toEqual(readState(FIELDS, "").state);
  expect(rejected).toEqual(query.split("&").map((part) => part.split("=")[0]));
  expect(readState(FIELDS, "features=x1,x1").rejected).toEqual(["features"]);
  expect(readState(FIELDS, "networkShape=1,1,1,1,1,1,1").rejected).toEqual(["networkShape"]);
  expect(readState(FIELDS, "someone=else&noise=1e1").rejected).toEqual(["noise"]);
});

test("fields by themselves", () => {
  expect(choice(["a", "b"], "a").read("b")).toBe("b");
  expect(choice([1, 2], 1).read("2")).toBe(2);
  expect(choice(["a"], "a").read("constructor")).toBeUndefined();
  expect(flag(false).read("constructor")).toBeUndefined();
  expect(whole(0, 10, 5).read("7.5")).toBeUndefined();
  expect(list(whole(0, 9, 0), { least: 0, most: 3 }, []).read("1,,2")).toBeUndefined();
});
