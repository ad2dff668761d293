import { expect, it } from "vitest";
import { read } from "./live";

const SILENT = { incident: "", step: "", action: "", candidates: [] };

it("reads whose event it is and which step it tells of", () => {
  const data = JSON.stringify({ incident_id: "ab", state: "running", step: "graph" });
  expect(read("diagnosis", { data })).toEqual({ ...SILENT, kind: "diagnosis", incident: "ab", step: "graph" });
});

it("reads the first candidates of a diagnosis that still runs", () => {
  const candidates = [{ service: "cart", series: "lag{}", score: 0.5, onset_unix: 3 }, "noise"];
  const data = JSON.stringify({ incident_id: "ab", step: "graph", candidates });
  expect(read("diagnosis", { data }).candidates).toEqual([candidates[0]]);
});

it("takes an event that says nothing as one that concerns all", () => {
  expect(read("incident", { data: "[]" })).toEqual({ ...SILENT, kind: "incident" });
});
