import { expect, it } from "vitest";
import { read } from "./live";

it("reads whose event it is and which step it tells of", () => {
  const data = JSON.stringify({ incident_id: "ab", state: "running", step: "graph" });
  expect(read("diagnosis", { data })).toEqual({ kind: "diagnosis", incident: "ab", step: "graph" });
});

it("takes an event that says nothing as one that concerns all", () => {
  expect(read("incident", { data: "[]" })).toEqual({ kind: "incident", incident: "", step: "" });
});
