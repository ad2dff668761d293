// What a method said of an incident: its answer, how sure it is, its blocks, how it was made.
import type { Analysis, Method, Result } from "../api/types";
import { quantity, share } from "../text/figures";
import { stamp } from "../text/times";
import { BlockView } from "./block";

export function AnalysisView({ analysis, method }: { analysis: Analysis; method?: Method | undefined }) {
  const { result } = analysis;
  return (
    <details class={`analysis ${analysis.status}`} open={analysis.status !== "failed"} id={`analysis-${analysis.method}`}>
      <summary>
        <span class="question">{analysis.question || analysis.method}</span> <Says analysis={analysis} />
      </summary>
      <div class="analysis-body">
        {result && <ResultView result={result} />}
        {method && (method.assumptions.length > 0 || method.limits.length > 0) && (
          <details>
            <summary>What this assumes, and what it does not say</summary>
            <ul>
              {[...method.assumptions, ...method.limits].map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </details>
        )}
        <Made analysis={analysis} method={method} />
      </div>
    </details>
  );
}

function Says({ analysis }: { analysis: Analysis }) {
  if (analysis.result) {
    return (
      <span class="says">
        {analysis.status === "weak" && <span class="weak">weak</span>} {analysis.result.answer}
      </span>
    );
  }
  if (analysis.status === "running") {
    return (
      <span class="says quiet" role="status">
        running, {share(analysis.progress)} done{" "}
        <progress value={analysis.progress} max={1} aria-label={`${analysis.method}, share done`} />
      </span>
    );
  }
  return (
    <span class="says bad">
      <span aria-hidden="true">✕</span> failed: {analysis.reason}
    </span>
  );
}

function ResultView({ result }: { result: Result }) {
  return (
    <>
      <Figures result={result} />
      {result.caveats.length > 0 && (
        <ul class="cautions">
          {result.caveats.map((caveat) => (
            <li key={caveat.code + caveat.text}>
              {caveat.text} <code class="quiet">{caveat.code}</code>
            </li>
          ))}
        </ul>
      )}
      {result.blocks.map((block, k) => (
        <BlockView key={k} block={block} />
      ))}
      {result.cautions.length > 0 && (
        <ul class="cautions">
          {result.cautions.map((caution) => (
            <li key={caution}>{caution}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function Figures({ result }: { result: Result }) {
  const figures = [
    ["", result.headline],
    ["simple method: ", result.baseline],
  ] as const;
  if (!result.headline && !result.baseline) return null;
  return (
    <dl class="facts">
      {figures.map(
        ([who, figure]) =>
          figure && (
            <div key={who}>
              <dt>
                {who}
                {figure.name}
              </dt>
              <dd>{quantity(figure.value, figure.unit)}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Made({ analysis, method }: { analysis: Analysis; method?: Method | undefined }) {
  const inputs = analysis.result?.inputs;
  const given = Object.entries(analysis.parameters)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
    .join(", ");
  const versions = Object.entries(analysis.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
  return (
    <p class="quiet made">
      {inputs &&
        `Used ${inputs.rows} rows of ${inputs.series_count} series from ${stamp(inputs.start_unix)}` +
          (inputs.effective_rows ? `, worth ${Math.round(inputs.effective_rows)} independent ones` : "") +
          dropped(inputs.dropped) +
          ". "}
      <code>{analysis.method}</code>, {given || "default parameters"}, seed {analysis.seed},{" "}
      {quantity(analysis.seconds, "s")}
      {versions && `; ${versions}`}
      {method?.paper && `. ${method.paper}`}
      {method && method.provenance !== "paper" && `. ${method.provenance}: ${method.provenance_note}`}
    </p>
  );
}

function dropped(left: Record<string, string> | undefined): string {
  const names = Object.entries(left ?? {}).map(([name, why]) => `${name} (${why})`);
  return names.length > 0 ? `; left out: ${names.slice(0, 5).join(", ")}` : "";
}
