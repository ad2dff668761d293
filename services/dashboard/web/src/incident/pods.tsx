// Which pods run a service and on which nodes, where a cluster is watched that knows it.
import type { Runs, Series } from "../api/types";
import { count, number } from "../text/figures";
import { stamp } from "../text/times";

const FEW = 3;

export function Pods({ runs, series }: { runs: Runs | undefined; series: Series }) {
  if (!runs) return null;
  const pods = runs.running.map((pod) => (
    <li key={`${pod.namespace}/${pod.name}`}>
      <code>{pod.name}</code> {pod.node ? `on ${pod.node}` : "on no node yet"}
      {pod.series.includes(series.key) && runs.pods > 1 && <b> ← the series above</b>}
    </li>
  ));
  const when = runs.seen_unix ? `As the cluster told at ${stamp(runs.seen_unix)}` : undefined;
  if (runs.pods <= FEW) {
    return (
      <div class="pods" title={when}>
        <span class="quiet">Runs now as</span> <ul>{pods}</ul>
      </div>
    );
  }
  return (
    <details class="pods">
      <summary title={when}>
        Runs now as {count(runs.pods, "pod")} of {runs.workloads.join(", ")} on{" "}
        {count(runs.nodes.length, "node")}
      </summary>
      <ul>{pods}</ul>
      {runs.pods > pods.length && <p class="quiet">… and {number(runs.pods - pods.length)} more</p>}
    </details>
  );
}
