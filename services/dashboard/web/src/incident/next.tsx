// What to do first: where to look, what to undo, whom to suspect next, whose runbook to open.
import type { Alert, Candidate, ChangeEvent, Diagnosis, IncidentDetail } from "../api/types";
import { share, span } from "../text/figures";
import { webAddress } from "../text/names";
import { SeriesName } from "../ui/marks";

export function NextSteps({ detail, diagnosis }: { detail: IncidentDetail; diagnosis: Diagnosis }) {
  const [first, second] = diagnosis.candidates;
  if (!first || detail.incident.status !== "open") return null;
  const done = lastBefore(detail, diagnosis.abstained ? undefined : first.service);
  return (
    <section class="next" aria-labelledby="h-next">
      <h2 id="h-next">What to do next</h2>
      <ol>
        <li>
          <Look first={first} second={second} sure={!diagnosis.abstained} />
        </li>
        {done && <Undo done={done} onset={detail.incident.onset_unix} />}
        {second && !diagnosis.abstained && (
          <li>
            If {first.service} is well: {second.service} is next ({share(second.score)}). Say below
            what you found; it is kept.
          </li>
        )}
        {runbooks(detail.alerts).map(([name, url]) => (
          <li key={url}>
            Open the runbook of{" "}
            <a href={url} rel="noreferrer">
              {name}
            </a>
            .
          </li>
        ))}
      </ol>
    </section>
  );
}

function Look(props: { first: Candidate; second: Candidate | undefined; sure: boolean }) {
  const { first, second } = props;
  const which = <SeriesName series={first.series} />;
  if (props.sure) return <>Look at {which} first.</>;
  if (!second) return <>Look at {which} yourself: it comes nearest, and is not proven.</>;
  return (
    <>
      Look at {which} and <SeriesName series={second.series} /> yourself: they come nearest, and
      neither is proven.
    </>
  );
}

function Undo({ done, onset }: { done: ChangeEvent; onset: number }) {
  const url = webAddress(done.url);
  const title = `${done.kind} of ${done.service || "everything"}: ${done.title}`;
  return (
    <li>
      Consider undoing {url ? <a href={url} rel="noreferrer">{title}</a> : <b>{title}</b>}, done{" "}
      {span(Math.max(1, Math.round(onset - done.at_unix)))} before the onset
      {done.author && ` by ${done.author}`}.
    </li>
  );
}

/** The last change before the onset, of one service or of all at once. */
export function lastBefore(detail: IncidentDetail, service?: string): ChangeEvent | undefined {
  const { onset_unix } = detail.incident;
  return detail.change_events
    .filter((one) => one.at_unix <= onset_unix)
    .filter((one) => service === undefined || one.service === "" || one.service === service)
    .sort((a, b) => b.at_unix - a.at_unix)[0];
}

/** Runbooks that alerts name, each once. */
export function runbooks(alerts: readonly Alert[]): readonly (readonly [string, string])[] {
  const found = new Map<string, string>();
  for (const alert of alerts) {
    const url = webAddress(alert.annotations["runbook_url"] ?? "");
    if (url && !found.has(url)) found.set(url, alert.name || alert.key);
  }
  return [...found].map(([url, name]) => [name, url] as const);
}
