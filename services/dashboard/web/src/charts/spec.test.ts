import { expect, it } from "vitest";
import { axis, extent } from "./spec";

it("leaves a linear axis some air, and one of positive values at 0", () => {
  expect(axis(0.2, 100)).toEqual([0, 105.988]);
  expect(axis(-10, 10)).toEqual([-11.2, 11.2]);
});

it("begins and ends a log axis at round numbers that hold every value", () => {
  expect(axis(0.034, 2.9, true)).toEqual([0.03, 3]);
  expect(axis(0.3, 9.5, true)).toEqual([0.3, 10]);
  expect(axis(1e-7, 1e-7, true)[0]).toBe(1e-7);
});

it("looks past what was not measured", () => {
  expect(extent([null, 2, undefined, Number.NaN, -1])).toEqual([-1, 2]);
});
