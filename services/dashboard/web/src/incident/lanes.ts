// What happened around an incident, as lanes on one time axis.
import type { Activity, IncidentDetail } from "../api/types";
import { metricOf } from "../text/names";

export type Shape = "diamond" | "dot" | "square" | "triangle" | "bar";

export interface Entry {
  at: number;
  /** Where it lasted: its end. */
  until?: number;
  shape: Shape;
  text: string;
}

export interface Lane {
  kind: "changes" | "alerts" | "departures" | "notifications" | "people";
  name: string;
  entries: readonly Entry[];
}

const SERVICES = 12;

/** The lanes that hold something, in reading order: what was done, what was seen, who acted. */
export function lanesOf(
  detail: IncidentDetail,
  activity: readonly Activity[],
  end: number,
): readonly Lane[] {
  const lanes: Lane[] = [
    { kind: "changes", name: "Changes", entries: detail.change_events.map(changeEntry) },
    { kind: "alerts", name: "Alerts", entries: detail.alerts.map((a) => alertEntry(a, end)) },
    ...departures(detail),
    { kind: "notifications", name: "Notifications", entries: notifications(activity) },
    { kind: "people", name: "People", entries: people(activity) },
  ];
  return lanes.filter((lane) => lane.entries.length > 0);
}

function changeEntry(event: IncidentDetail["change_events"][number]): Entry {
  const who = event.author || event.source;
  const whose = event.service || "all services";
  return { at: event.at_unix, shape: "diamond", text: `${event.kind}: ${event.title} (${whose}, ${who})` };
}

function alertEntry(alert: IncidentDetail["alerts"][number], end: number): Entry {
  const until = alert.ends_unix ?? end;
  const text = `${alert.name || alert.key} ${alert.service}: ${alert.summary || alert.status}`;
  return { at: alert.starts_unix, until: Math.max(until, alert.starts_unix), shape: "bar", text };
}

function departures(detail: IncidentDetail): Lane[] {
  const byService = new Map<string, Entry[]>();
  for (const change of detail.changes) {
    const entry: Entry = {
      at: change.onset_unix,
      shape: (change.score ?? 0) < 0 ? "triangle" : "dot",
      text: `${change.series.service} ${metricOf(change.series)} departs`,
    };
    byService.set(change.series.service, [...(byService.get(change.series.service) ?? []), entry]);
  }
  return [...byService]
    .map(([name, entries]): Lane => ({ kind: "departures", name, entries }))
    .sort((a, b) => first(a) - first(b))
    .slice(0, SERVICES);
}

const first = (lane: Lane): number => Math.min(...lane.entries.map((entry) => entry.at));

function notifications(activity: readonly Activity[]): Entry[] {
  return activity
    .filter((line) => line.action === "notified")
    .map((line) => ({ at: line.at_unix, shape: "square", text: line.text || "notified" }));
}

function people(activity: readonly Activity[]): Entry[] {
  return activity
    .filter((line) => line.actor !== "" && line.action !== "notified")
    .map((line) => ({
      at: line.at_unix,
      shape: "square",
      text: `${line.actor}: ${line.action}${line.text ? `, ${line.text}` : ""}`,
    }));
}
