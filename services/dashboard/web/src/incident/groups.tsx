// Root cause, first failure, impact: where it broke, where it was felt first, whom it reached.
import type { Change, Groups } from "../api/types";
import { offset } from "../text/figures";
import { metricOf } from "../text/names";
import { Code } from "../ui/marks";

export function ThreeGroups({ groups }: { groups: Groups }) {
  const { root_cause, first_failure, impact } = groups;
  const start = root_cause?.onset_unix ?? first_failure?.onset_unix;
  if (!root_cause && !first_failure) return null;
  return (
    <section aria-labelledby="h-groups">
      <h2 id="h-groups">How it went on</h2>
      <dl class="groups">
        <div class="group root">
          <dt>Root cause</dt>
          <dd>
            {root_cause ? (
              <>
                {root_cause.service} <Code text={metricOf(root_cause.series)} />
              </>
            ) : (
              <span class="quiet">not named</span>
            )}
          </dd>
        </div>
        <div class="group">
          <dt>First failure</dt>
          <dd>
            {first_failure ? (
              <>
                <Reached change={first_failure} start={start} />{" "}
                <Code text={metricOf(first_failure.series)} />
              </>
            ) : (
              <span class="quiet">no latency or error departed</span>
            )}
          </dd>
        </div>
        <div class="group">
          <dt>Impact</dt>
          <dd>
            {impact.length === 0 && <span class="quiet">nobody else</span>}
            {impact.map((one) => (
              <Reached key={one.series.key} change={one} start={start} />
            ))}
          </dd>
        </div>
      </dl>
      <p class="quiet">
        Times count from the departure of the {root_cause ? "cause" : "first failure"}.
      </p>
    </section>
  );
}

function Reached({ change, start }: { change: Change; start: number | null | undefined }) {
  return (
    <span class="reached">
      {change.series.service}{" "}
      {start != null && <small>{offset(change.onset_unix - start)}</small>}
    </span>
  );
}
