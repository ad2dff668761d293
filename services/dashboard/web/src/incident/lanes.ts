// What happened around an incident, as lanes on one time axis.
import type { Happening } from "../api/types";

export type Shape = "diamond" | "dot" | "square" | "triangle" | "bar";

export interface Entry {
  at: number;
  /** Where it lasted: its end. */
  until?: number;
  shape: Shape;
  text: string;
}

export interface Lane {
  kind: Happening["lane"];
  name: string;
  entries: readonly Entry[];
}

const SERVICES = 12;
const NAMES: readonly (readonly [Happening["lane"], string])[] = [
  ["change", "Changes"],
  ["alert", "Alerts"],
  ["change_point", ""],
  ["status", "Rootward"],
  ["notification", "Notifications"],
  ["action", "People"],
];

/** The lanes that hold something: what was done, what was seen by service, who acted. */
export function lanesOf(items: readonly Happening[], end: number): readonly Lane[] {
  return NAMES.flatMap(([kind, name]) => {
    const here = items.filter((item) => item.lane === kind);
    if (here.length === 0) return [];
    if (kind === "change_point") return byService(here, end);
    return [{ kind, name, entries: here.map((item) => entryOf(item, end)) }];
  });
}

function byService(items: readonly Happening[], end: number): Lane[] {
  const found = new Map<string, Entry[]>();
  for (const item of items) {
    found.set(item.service, [...(found.get(item.service) ?? []), entryOf(item, end)]);
  }
  return [...found]
    .map(([name, entries]): Lane => ({ kind: "change_point", name, entries }))
    .sort((a, b) => first(a) - first(b))
    .slice(0, SERVICES);
}

const first = (lane: Lane): number => Math.min(...lane.entries.map((entry) => entry.at));

function entryOf(item: Happening, end: number): Entry {
  const base = { at: item.at_unix, text: wordsOf(item) };
  switch (item.lane) {
    case "change":
      return { ...base, shape: "diamond" };
    case "alert":
      return { ...base, shape: "bar", until: Math.max(item.end_unix ?? end, item.at_unix) };
    case "change_point":
      return { ...base, shape: item.kind === "fall" ? "triangle" : "dot" };
    default:
      return { ...base, shape: "square" };
  }
}

function wordsOf(item: Happening): string {
  const whose = item.service ? ` (${item.service})` : "";
  switch (item.lane) {
    case "change":
      return `${item.kind}: ${item.title}${whose}${item.text ? `, by ${item.text}` : ""}`;
    case "alert":
      return `${item.title}${whose}${item.text ? `: ${item.text}` : ""}`;
    case "change_point":
      return `${item.service} ${item.title} ${item.kind === "fall" ? "falls" : "rises"}`;
    default:
      return item.text ? `${item.title}: ${item.text}` : item.title;
  }
}
