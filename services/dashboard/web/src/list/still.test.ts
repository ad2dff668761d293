import { expect, it } from "vitest";
import { settle } from "./still";

const item = (id: string, text = "") => ({ id, text });

it("brings rows up to date where they stand and lets new ones wait", () => {
  const still = settle([item("b"), item("a")], [item("c"), item("a", "resolved"), item("b")]);
  expect(still.shown).toEqual([item("b"), item("a", "resolved")]);
  expect(still.fresh).toBe(1);
  expect(still.waiting?.map((one) => one.id)).toEqual(["c", "a", "b"]);
});

it("waits for nothing where the order is the same", () => {
  const still = settle([item("a")], [item("a", "new words")]);
  expect(still.waiting).toBeUndefined();
  expect(still.shown).toEqual([item("a", "new words")]);
});

it("keeps a row on the screen that the newest page no longer holds", () => {
  expect(settle([item("a"), item("b")], [item("b")]).shown).toHaveLength(2);
});
