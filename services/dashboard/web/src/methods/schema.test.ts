import { expect, it } from "vitest";
import type { Method } from "../api/types";
import { parametersOf, readField, written } from "./schema";

const method = {
  parameters_schema: {
    properties: {
      damping: { type: "number", default: 0.85, description: "How far it walks.", maximum: 1 },
      lags: { type: "integer", default: 3 },
      kernel: { enum: ["linear", "kernel"], type: "string", default: "linear" },
      fast: { type: "boolean", default: false },
      words: { type: "string" },
      weights: { type: "array", default: [1, 2] },
    },
  },
} as unknown as Method;
const [damping, lags, kernel, fast, words, weights] = parametersOf(method);

it("makes a field of the right kind for every parameter", () => {
  expect(parametersOf(method).map((p) => p.kind)).toEqual([
    "number", "integer", "choice", "boolean", "text", "json",
  ]);
  expect(damping?.description).toBe("How far it walks.");
  expect(written(weights?.initial)).toBe("[1,2]");
});

it("sends only what differs from the defaults", () => {
  expect(readField(damping!, "0.85")).toEqual({ value: undefined });
  expect(readField(damping!, "0.5")).toEqual({ value: 0.5 });
  expect(readField(fast!, "true")).toEqual({ value: true });
  expect(readField(kernel!, "kernel")).toEqual({ value: "kernel" });
  expect(readField(words!, "")).toEqual({ value: undefined });
  expect(readField(weights!, "[3]")).toEqual({ value: [3] });
});

it("says what is wrong before anything is sent", () => {
  expect(readField(lags!, "1.5")).toEqual({ wrong: "must be a whole number" });
  expect(readField(damping!, "two")).toEqual({ wrong: "is not a number" });
  expect(readField(damping!, "")).toEqual({ wrong: "is not a number" });
  expect(readField(damping!, "1.1")).toEqual({ wrong: "must be at most 1" });
  expect(readField(weights!, "[3")).toEqual({ wrong: "is not JSON" });
});

it("takes a method without parameters as it is", () => {
  expect(parametersOf({ parameters_schema: {} } as Method)).toEqual([]);
});
