import { expect, it } from "vitest";
import type { LiveEvent } from "../state/live";
import { after } from "./progress";

const event = (more: Partial<LiveEvent>): LiveEvent => ({
  kind: "diagnosis", incident: "ab", step: "", action: "", candidates: [], ...more,
});
const first = [{ service: "cart", series: "lag{}", score: 1, onset_unix: null }];

it("keeps the first ranking while later steps are told, and drops it when a run begins anew", () => {
  const ranked = after(undefined, event({ step: "graph", candidates: first }));
  expect(after(ranked, event({ step: "ranking" }))).toEqual({ step: "ranking", candidates: first });
  expect(after(ranked, event({ step: "frame" }))).toEqual({ step: "frame", candidates: [] });
});

it("is over once the diagnosis is there or failed, not when somebody comments", () => {
  const running = { step: "evidence", candidates: first };
  expect(after(running, event({ kind: "incident", action: "diagnosed" }))).toBeUndefined();
  expect(after(running, event({ kind: "incident", action: "diagnosis_failed" }))).toBeUndefined();
  expect(after(running, event({ kind: "incident", action: "commented" }))).toBe(running);
});
