import { expect, it } from "vitest";
import type { Activity, IncidentDetail } from "../api/types";
import { lanesOf } from "./lanes";

const series = (service: string) => ({
  key: service, name: service, metric: "latency", service, labels: { service },
});
const detail = {
  change_events: [{ at_unix: 90, kind: "deploy", title: "v2", service: "cart", author: "", source: "ci" }],
  alerts: [{ key: "a", name: "Slow", service: "", summary: "", status: "firing", starts_unix: 120, ends_unix: null }],
  changes: [
    { series: series("orders"), onset_unix: 110, score: 9 },
    { series: series("cart"), onset_unix: 100, score: -4 },
    { series: series("cart"), onset_unix: 130, score: 4 },
  ],
} as unknown as IncidentDetail;
const log = [
  { id: 1, at_unix: 140, actor: "", action: "opened", text: "" },
  { id: 2, at_unix: 150, actor: "ada", action: "commented", text: "rolling back" },
  { id: 3, at_unix: 151, actor: "", action: "notified", text: "to #ops" },
] as unknown as Activity[];

it("puts what was done first, then services by their departure, then people", () => {
  expect(lanesOf(detail, log, 200).map((lane) => lane.name)).toEqual([
    "Changes", "Alerts", "cart", "orders", "Notifications", "People",
  ]);
});

it("leaves out what nobody did and ends a firing alert where the window ends", () => {
  const lanes = lanesOf(detail, log.slice(0, 1), 200);
  expect(lanes.map((lane) => lane.kind)).not.toContain("people");
  expect(lanes[1]?.entries[0]?.until).toBe(200);
  expect(lanes[2]?.entries.map((entry) => entry.shape)).toEqual(["triangle", "dot"]);
});
