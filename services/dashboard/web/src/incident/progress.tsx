// How far a diagnosis is that runs just now, and what it puts first so far.
import { useEffect, useState } from "preact/hooks";
import type { IncidentDetail, Provisional } from "../api/types";
import { listen, type LiveEvent } from "../state/live";
import { share } from "../text/figures";
import { clock } from "../text/times";
import { Bar, Code } from "../ui/marks";

const STEPS: readonly (readonly [string, string])[] = [
  ["window", "reads the window"],
  ["frame", "fills gaps and scales"],
  ["onset", "finds when series departed"],
  ["graph", "learns the causal graph"],
  ["ranking", "ranks the causes"],
  ["evidence", "gathers the evidence"],
];

export interface Underway {
  step: string;
  candidates: readonly Provisional[];
}

/** The diagnosis of an incident that runs just now; undefined while none is known to. */
export function useProgress(detail: IncidentDetail): Underway | undefined {
  const { id } = detail.incident;
  const [heard, setHeard] = useState<Underway>();
  useEffect(() => {
    setHeard(undefined);
    return listen((event) => event.incident === id && setHeard((before) => after(before, event)));
  }, [id]);
  return heard ?? detail.progress ?? undefined;
}

/** What is known of a diagnosis once an event was heard. */
export function after(before: Underway | undefined, event: LiveEvent): Underway | undefined {
  if (event.kind === "incident" && event.action.startsWith("diagnos")) return undefined;
  if (event.kind !== "diagnosis" || !event.step) return before;
  const known = event.step === "frame" ? [] : (before?.candidates ?? []);
  return { step: event.step, candidates: event.candidates.length ? event.candidates : known };
}

export function Steps({ reached }: { reached: string | undefined }) {
  const at = STEPS.findIndex(([name]) => name === reached);
  return (
    <ol class="steps plain-list" aria-label="Steps of the diagnosis">
      {STEPS.map(([name, words], k) => (
        <li key={name} aria-current={k === at ? "step" : undefined} class={k <= at ? "reached" : ""}>
          <span aria-hidden="true">{k < at ? "✓" : k === at ? "▶" : "○"}</span> {words}
        </li>
      ))}
    </ol>
  );
}

/** The first candidates, before the causal graph had its say. */
export function FirstRanking({ candidates }: { candidates: readonly Provisional[] }) {
  if (candidates.length === 0) return null;
  const most = Math.max(...candidates.map((one) => one.score), 1e-9);
  return (
    <section class="provisional" aria-labelledby="h-provisional" aria-live="polite">
      <h2 id="h-provisional">
        First ranking <span class="weak">provisional</span>
      </h2>
      <p class="quiet">
        By how far each service departed. The causal graph is still being learned and may change
        the order; evidence and confidence come with it.
      </p>
      <ol class="plain-list">
        {candidates.map((one, k) => (
          <li key={one.service}>
            <span class="rank">{k + 1}</span> <b>{one.service}</b>{" "}
            <Code text={one.series.split("{")[0] ?? ""} />{" "}
            {one.onset_unix !== null && <span class="quiet">departed at {clock(one.onset_unix)}</span>}
            <span class="score">
              <Bar share={one.score / most} /> {share(one.score)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
