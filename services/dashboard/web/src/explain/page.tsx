// A stretch of time explained on request: how far it is, and what came of it.
import { useMemo } from "preact/hooks";
import { answer, api, once } from "../api/client";
import { mayRespond } from "../api/session";
import type { Diagnosis, Run } from "../api/types";
import { CausalGraph } from "../graph/graph";
import { Cause } from "../incident/causes";
import { Abstained, Found } from "../incident/conclusion";
import { Opinions } from "../incident/opinions";
import { FirstRanking, Steps } from "../incident/progress";
import { useLive } from "../state/live";
import { useResource } from "../state/resource";
import { href } from "../state/route";
import { span } from "../text/figures";
import { stamp } from "../text/times";
import { Banner, Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";

const SHOWN = 5;

export function Explained({ id }: { id: string }) {
  useTitle("Explain a stretch of time");
  const path = { path: { id } };
  const found = useResource(id, (signal) =>
    answer(api.GET("/api/v1/diagnoses/{id}", { params: path, signal })),
  );
  useLive((event) => event.kind !== "incident", found.reload);
  const run = found.data;
  if (!run) {
    if (found.problem) return <Failed problem={found.problem} retry={() => void found.reload()} />;
    return <Loading what="the diagnosis" />;
  }
  const cancel = async () => {
    found.show(
      await answer(
        api.POST("/api/v1/diagnoses/{id}/cancel", { params: { ...path, header: {} }, headers: once() }),
      ),
    );
  };
  return (
    <article class="incident">
      <p class="quiet">
        <a href={href("/")}>Incidents</a> / {stamp(run.start_unix)}, {span(run.end_unix - run.start_unix)}
        , asked for by {run.asked_by}
      </p>
      {run.diagnosis ? (
        <Outcome diagnosis={run.diagnosis} />
      ) : (
        <Underway run={run} cancel={() => void cancel()} />
      )}
    </article>
  );
}

function Underway({ run, cancel }: { run: Run; cancel: () => void }) {
  if (run.state === "failed") {
    return (
      <>
        <h1>This stretch could not be explained</h1>
        <Banner kind="bad" title="The diagnosis failed.">
          {run.reason}
        </Banner>
      </>
    );
  }
  if (run.state === "cancelled") return <h1>The diagnosis was called off</h1>;
  return (
    <>
      <h1>Looking for the cause …</h1>
      <Banner title={run.state === "running" ? "The diagnosis runs." : "The diagnosis is queued."}>
        Its outcome appears here by itself. <Steps reached={run.steps.at(-1)?.name} />
      </Banner>
      <FirstRanking candidates={run.provisional} />
      {mayRespond() && (
        <button type="button" class="plain" onClick={cancel}>
          Call it off
        </button>
      )}
    </>
  );
}

function Outcome({ diagnosis }: { diagnosis: Diagnosis }) {
  const most = Math.max(...diagnosis.candidates.map((one) => one.score), 1e-9);
  const symptom = diagnosis.candidates.find((one) => one.series.key === diagnosis.symptom?.key);
  const parts = useMemo(() => partsOf(diagnosis), [diagnosis]);
  return (
    <>
      <section class="conclusion" aria-label="Conclusion">
        <Found diagnosis={diagnosis} />
      </section>
      {diagnosis.abstained && <Abstained diagnosis={diagnosis} />}
      <section aria-labelledby="h-causes">
        <h2 id="h-causes">{diagnosis.abstained ? "Nearest candidates" : "Ranked causes"}</h2>
        <ol class="causes">
          {diagnosis.candidates.slice(0, SHOWN).map((one) => (
            <Cause
              key={one.series.key}
              candidate={one}
              share={one.score / most}
              weak={diagnosis.abstained}
              symptomOnset={symptom?.onset_unix ?? null}
            />
          ))}
        </ol>
      </section>
      <Opinions diagnosis={diagnosis} />
      {parts.edges.length > 0 && (
        <section aria-labelledby="h-graph">
          <h2 id="h-graph">How it spread</h2>
          <CausalGraph {...parts} label="Causal graph from the first candidate to the symptom" />
        </section>
      )}
    </>
  );
}

function partsOf(diagnosis: Diagnosis) {
  const keys = new Set(diagnosis.spread?.series ?? []);
  return {
    series: diagnosis.graph.series.filter((one) => keys.has(one.key)),
    edges: diagnosis.spread?.edges ?? [],
    roles: {
      cause: diagnosis.abstained ? undefined : diagnosis.candidates[0]?.series.key,
      symptom: diagnosis.symptom?.key,
    },
  };
}
