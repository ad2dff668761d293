// A causal graph, ready to be drawn and to be read as a table.
import type { Edge, Series } from "../api/types";
import { span } from "../text/figures";
import { metricOf } from "../text/names";
import { clock } from "../text/times";

export interface GraphNode {
  key: string;
  service: string;
  lines: readonly string[];
  role: "cause" | "symptom" | "";
}

export interface GraphEdge {
  cause: string;
  effect: string;
  weight: number;
  sign: number;
  label: string;
  unsure: boolean;
}

export interface GraphSpec {
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
}

export interface Roles {
  cause?: string | undefined;
  symptom?: string | undefined;
  onsets?: ReadonlyMap<string, number>;
}

const SURE = 0.7;
const LONGEST = 25;

export function graphSpec(series: readonly Series[], edges: readonly Edge[], roles: Roles): GraphSpec {
  return {
    nodes: series.map((one) => node(one, roles)),
    edges: edges.map((edge) => ({
      cause: edge.cause,
      effect: edge.effect,
      weight: edge.weight ?? 0,
      sign: edge.sign,
      label: `${signOf(edge)} ${lagOf(edge)}`,
      unsure: isUnsure(edge),
    })),
  };
}

function node(series: Series, roles: Roles): GraphNode {
  const onset = roles.onsets?.get(series.key);
  const role = series.key === roles.cause ? "cause" : series.key === roles.symptom ? "symptom" : "";
  const when = onset === undefined ? "" : `${role ? `${role}, ` : ""}departs ${clock(onset)}`;
  return {
    key: series.key,
    service: series.service,
    lines: [cut(metricOf(series)), when || role].filter(Boolean),
    role,
  };
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

/** By how much the cause leads, in rows where the step is not known. */
export function lagOf(edge: Edge): string {
  if (edge.lag_seconds !== null) return span(edge.lag_seconds);
  return edge.lag_rows === 1 ? "1 row" : `${edge.lag_rows} rows`;
}

export function signOf(edge: Edge): string {
  return edge.sign > 0 ? "+" : edge.sign < 0 ? "−" : "±";
}

/** Whether the edge shows in fewer than 70 % of the resamples. */
export function isUnsure(edge: Edge): boolean {
  return edge.confidence !== null && edge.confidence < SURE;
}
