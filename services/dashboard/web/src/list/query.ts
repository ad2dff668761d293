// What the list shows, as the address says it.
import type { IncidentStatus, Severity } from "../api/types";
import { query, setQuery, withQuery } from "../state/route";

export interface ListQuery {
  status: IncidentStatus[];
  severity: Severity[];
  service: string[];
  assignee: string[];
  seen: boolean | undefined;
  q: string;
  cursor: string;
}

/** A kind of filter that takes several values. */
export type Facet = "status" | "severity" | "service" | "assignee";

const STATUSES: readonly IncidentStatus[] = ["open", "resolved"];
const SEVERITIES: readonly Severity[] = ["critical", "warning", "info"];
/** What the address says for nobody: an empty value cannot be told from none. */
const NOBODY = "-";

export function listQuery(): ListQuery {
  const from = query.value;
  const seen = from.get("acknowledged");
  return {
    status: STATUSES.filter((one) => from.getAll("status").includes(one)),
    severity: SEVERITIES.filter((one) => from.getAll("severity").includes(one)),
    service: from.getAll("service"),
    assignee: from.getAll("assignee").map((one) => (one === NOBODY ? "" : one)),
    seen: seen === "true" ? true : seen === "false" ? false : undefined,
    q: from.get("q") ?? "",
    cursor: from.get("cursor") ?? "",
  };
}

export function isFiltered(wanted: ListQuery): boolean {
  const { status, severity, service, assignee, seen, q } = wanted;
  return [status, severity, service, assignee].some((one) => one.length > 0) || seen !== undefined || !!q;
}

/** The filters as the API takes them. */
export function filtersOf(wanted: ListQuery) {
  const { status, severity, service, assignee, seen, q } = wanted;
  return {
    ...(status.length ? { status } : {}),
    ...(severity.length ? { severity } : {}),
    ...(service.length ? { service } : {}),
    ...(assignee.length ? { assignee } : {}),
    ...(seen === undefined ? {} : { acknowledged: seen }),
    ...(q ? { q } : {}),
  };
}

const spell = (facet: Facet, value: string): string =>
  facet === "assignee" && value === "" ? NOBODY : value;

/** The address with one value of a facet put in or taken out. */
export function toggled(wanted: ListQuery, facet: Facet, value: string): string {
  const now: readonly string[] = wanted[facet];
  const next = now.includes(value) ? now.filter((one) => one !== value) : [...now, value];
  return withQuery({ [facet]: next.map((one) => spell(facet, one)), cursor: "" });
}

/** The address with only this value of a facet, or with none. */
export function only(facet: Facet, value: string): string {
  return withQuery({ [facet]: value === "" ? "" : spell(facet, value), cursor: "" });
}

export function search(words: string): void {
  setQuery({ q: words.trim(), cursor: "" });
}
