import { expect, it } from "vitest";
import type { Happening } from "../api/types";
import { lanesOf } from "./lanes";

const item = (lane: Happening["lane"], at_unix: number, more: Partial<Happening> = {}): Happening => ({
  lane, at_unix, at: "", service: "", title: "", text: "", kind: "", url: "", score: null, end_unix: null, ...more,
});
const items = [
  item("change", 90, { kind: "deploy", title: "v2", service: "cart" }),
  item("change_point", 100, { service: "cart", kind: "fall" }),
  item("change_point", 110, { service: "orders", kind: "rise" }),
  item("alert", 120, { title: "Slow" }),
  item("change_point", 130, { service: "cart", kind: "rise" }),
  item("action", 150, { title: "ada commented", text: "rolling back" }),
];

it("puts what was done first, then services by their departure, then people", () => {
  expect(lanesOf(items, 200).map((lane) => lane.name)).toEqual([
    "Changes", "Alerts", "cart", "orders", "People",
  ]);
});

it("ends a firing alert where the window ends and tells falls from rises", () => {
  const lanes = lanesOf(items, 200);
  expect(lanes[1]?.entries[0]?.until).toBe(200);
  expect(lanes[2]?.entries.map((entry) => entry.shape)).toEqual(["triangle", "dot"]);
  expect(lanes[0]?.entries[0]?.text).toBe("deploy: v2 (cart)");
});
