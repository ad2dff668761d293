// Root cause, first failure, impact: the services in the order in which it reached them.
import type { Diagnosis, IncidentDetail } from "../api/types";
import { offset } from "../text/figures";

interface Reached {
  service: string;
  /** Seconds after the first departure. */
  after: number;
}

export interface Grouped {
  cause: string | undefined;
  first: Reached | undefined;
  impact: readonly Reached[];
}

/** The services by their first departure; the cause stands apart, whenever it departed. */
export function grouped(detail: IncidentDetail, diagnosis: Diagnosis): Grouped {
  const cause = diagnosis.abstained ? undefined : diagnosis.candidates[0]?.service;
  const found = new Map<string, number>();
  for (const { series, onset_unix } of detail.changes) {
    found.set(series.service, Math.min(found.get(series.service) ?? Infinity, onset_unix));
  }
  const start = Math.min(...found.values());
  const others = [...found]
    .filter(([service]) => service !== cause)
    .map(([service, onset]) => ({ service, after: onset - start }))
    .sort((a, b) => a.after - b.after);
  return { cause, first: others[0], impact: others.slice(1) };
}

export function Groups({ detail, diagnosis }: { detail: IncidentDetail; diagnosis: Diagnosis }) {
  const { cause, first, impact } = grouped(detail, diagnosis);
  if (!first) return null;
  return (
    <section aria-labelledby="h-groups">
      <h2 id="h-groups">How it went on</h2>
      <dl class="groups">
        <div class="group root">
          <dt>Root cause</dt>
          <dd>{cause ?? <span class="quiet">not named</span>}</dd>
        </div>
        <div class="group">
          <dt>First failure</dt>
          <dd>
            {first.service} <small>{offset(first.after)}</small>
          </dd>
        </div>
        <div class="group">
          <dt>Impact</dt>
          <dd>
            {impact.length === 0 && <span class="quiet">nobody else</span>}
            {impact.map((one) => (
              <span key={one.service} class="reached">
                {one.service} <small>{offset(one.after)}</small>
              </span>
            ))}
          </dd>
        </div>
      </dl>
      <p class="quiet">Times count from the first departure from a baseline.</p>
    </section>
  );
}
