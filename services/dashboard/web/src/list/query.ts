// What the list shows, as the address says it.
import type { IncidentStatus } from "../api/types";
import { query } from "../state/route";

export interface ListQuery {
  status: IncidentStatus | undefined;
  service: string;
  cursor: string;
}

const STATUSES: readonly IncidentStatus[] = ["open", "resolved"];

export function listQuery(): ListQuery {
  const from = query.value;
  return {
    status: STATUSES.find((one) => one === from.get("status")),
    service: from.get("service") ?? "",
    cursor: from.get("cursor") ?? "",
  };
}

export function isFiltered(wanted: ListQuery): boolean {
  return !!(wanted.status || wanted.service);
}
