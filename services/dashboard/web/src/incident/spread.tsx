// How it spread: the smallest graph that leads from the cause to the symptom, and who is who in it.
import { useMemo } from "preact/hooks";
import type { Diagnosis, IncidentDetail, Series } from "../api/types";
import { CausalGraph } from "../graph/graph";
import { lagOf } from "../graph/spec";
import { query, setQuery } from "../state/route";
import { count, number, quantity } from "../text/figures";
import { metricOf } from "../text/names";
import { clock } from "../text/times";
import { SeriesName } from "../ui/marks";
import { onsets } from "./span";

export function Spread({ detail, diagnosis }: { detail: IncidentDetail; diagnosis: Diagnosis }) {
  const { spread, graph } = diagnosis;
  const all = query.value.get("graph") === "all";
  const parts = useMemo(() => partsOf(detail, diagnosis, all), [detail, diagnosis, all]);
  if (!spread) return null;
  const chosen = parts.series.find((one) => one.key === query.value.get("node"));
  return (
    <section id="graph" aria-labelledby="h-graph" tabIndex={-1}>
      <div class="section-head">
        <h2 id="h-graph">How it spread</h2>
        <span class="row">
          <span class="quiet">
            {parts.series.length} of {count(graph.series.length, "series", "series")},{" "}
            {parts.edges.length} of {count(graph.edges.length, "edge")}
          </span>
          {graph.edges.length > spread.edges.length && graph.series.length <= MOST && (
            <button
              type="button"
              class="plain"
              aria-pressed={all}
              onClick={() => setQuery({ graph: all ? "" : "all", node: "" })}
            >
              All edges
            </button>
          )}
        </span>
      </div>
      {note(diagnosis) && <p class="note">{note(diagnosis)}</p>}
      {parts.edges.length > 0 && (
        <CausalGraph
          {...parts}
          label={label(diagnosis)}
          chosen={chosen?.key}
          onChoose={(key) => setQuery({ node: key ?? "" })}
        />
      )}
      {chosen && <Node series={chosen} detail={detail} diagnosis={diagnosis} />}
    </section>
  );
}

const MOST = 60;

function partsOf(detail: IncidentDetail, diagnosis: Diagnosis, all: boolean) {
  const { spread, graph } = diagnosis;
  const keys = new Set(spread?.series ?? []);
  const first = diagnosis.candidates[0]?.series.key;
  return {
    series: all ? graph.series : graph.series.filter((one) => keys.has(one.key)),
    edges: all ? graph.edges : (spread?.edges ?? []),
    roles: {
      cause: diagnosis.abstained ? undefined : first,
      symptom: (diagnosis.symptom ?? detail.incident.symptom).key,
      onsets: onsets(detail, diagnosis),
    },
  };
}

function note(diagnosis: Diagnosis): string {
  const { spread, graph } = diagnosis;
  if (graph.edges.length === 0) {
    return "No causal edge was learned: no series' past improves the prediction of another enough.";
  }
  if (spread?.connected) return "";
  return (
    "No directed path from the first candidate to the symptom was learned; shown are the " +
    "strongest edges near them."
  );
}

function label(diagnosis: Diagnosis): string {
  const many = diagnosis.spread?.edges.length ?? 0;
  const course = diagnosis.spread?.connected ? "a directed path leads" : "no directed path leads";
  return `Causal graph of ${count(many, "edge")}; ${course} from the first candidate to the symptom. The table below lists every edge.`;
}

function Node(props: { series: Series; detail: IncidentDetail; diagnosis: Diagnosis }) {
  const { series, detail, diagnosis } = props;
  const change = detail.changes.find((one) => one.series.key === series.key);
  const { edges } = diagnosis.graph;
  const byKey = new Map(diagnosis.graph.series.map((one) => [one.key, one]));
  const name = (key: string) => {
    const found = byKey.get(key);
    return found ? `${found.service} ${metricOf(found)}` : key;
  };
  const drivenBy = edges.filter((edge) => edge.effect === series.key);
  const drives = edges.filter((edge) => edge.cause === series.key);
  const done = detail.change_events.filter((one) => one.service === series.service);
  return (
    <div class="node-panel" role="region" aria-label={`About ${series.name}`}>
      <div class="section-head">
        <h3>
          <SeriesName series={series} />
        </h3>
        <button type="button" class="link" onClick={() => setQuery({ node: "" })}>
          Close
        </button>
      </div>
      <p>
        {change
          ? `${quantity(change.before, change.unit)} → ${quantity(change.after, change.unit)}, departed at ${clock(change.onset_unix)} by ${number(change.score)} baseline deviations.`
          : "No departure from its baseline was found."}
        {done.map((one) => ` ${one.kind} at ${clock(one.at_unix)}: ${one.title}.`)}
      </p>
      <p>
        <strong>Driven by:</strong>{" "}
        {drivenBy.map((edge) => `${name(edge.cause)} (${lagOf(edge)})`).join(", ") || "nothing learned"}
      </p>
      <p>
        <strong>Drives:</strong>{" "}
        {drives.map((edge) => `${name(edge.effect)} (${lagOf(edge)})`).join(", ") || "nothing learned"}
      </p>
      <p>
        <strong>Why not the root?</strong> {whyNotRoot(series, diagnosis)}
      </p>
    </div>
  );
}

function whyNotRoot(series: Series, diagnosis: Diagnosis): string {
  const candidate = diagnosis.candidates.find((one) => one.series.key === series.key);
  if (candidate?.rank === 1) {
    return diagnosis.abstained ? "It is the nearest candidate, but weak." : "It is ranked first.";
  }
  if (!candidate) return "Another series speaks for its service, or it was not a candidate.";
  const against = candidate.evidence.filter((one) => one.kind === "against");
  const reason = against.map((one) => one.text).join("; ");
  return `Ranked ${candidate.rank}${reason ? `: ${reason}` : "; the evidence for others is stronger"}.`;
}
