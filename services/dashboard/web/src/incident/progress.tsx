// How far the diagnosis is, step by step, while it runs.
import { useEffect, useState } from "preact/hooks";
import { listen } from "../state/live";

const STEPS: readonly (readonly [string, string])[] = [
  ["window", "reads the window"],
  ["frame", "fills gaps and scales"],
  ["onset", "finds when series departed"],
  ["graph", "learns the causal graph"],
  ["ranking", "ranks the causes"],
  ["evidence", "gathers the evidence"],
];

/** The step that the diagnosis of an incident reached; undefined while none is known. */
export function useStep(incident: string): string | undefined {
  const [step, setStep] = useState<string>();
  useEffect(
    () =>
      listen((event) => {
        if (event.kind === "diagnosis" && event.incident === incident) {
          setStep(event.step || undefined);
        }
      }),
    [incident],
  );
  return step;
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
