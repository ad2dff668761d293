// A component for each kind of block of a result; every picture has its table.
import { useMemo } from "preact/hooks";
import type { Block } from "../api/types";
import { Plot } from "../charts/plot";
import type { PlotSpec } from "../charts/spec";
import { CausalGraph } from "../graph/graph";
import { count } from "../text/figures";
import { BarsBlock } from "./bars";
import { HeatmapBlock } from "./heatmap";
import { ScatterBlock } from "./scatter";
import { LinesTable, TableBlock } from "./table";

type Of<K extends Block["kind"]> = Extract<Block, { kind: K }>;

export function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case "note":
      return <p class="block">{block.text}</p>;
    case "table":
      return <TableBlock block={block} />;
    case "bars":
      return <BarsBlock block={block} />;
    case "heatmap":
      return <HeatmapBlock block={block} />;
    case "scatter":
      return <ScatterBlock block={block} />;
    case "lines":
      return <LinesBlock block={block} />;
    case "graph":
      return <GraphView block={block} />;
  }
}

const COLOURS = ["line-0", "line-1", "line-2", "line-3", "line-4", "line-5"] as const;
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]] as const;

function LinesBlock({ block }: { block: Of<"lines"> }) {
  const spec = useMemo<PlotSpec>(
    () => ({
      times: block.times,
      lines: block.lines.map((line, k) => ({
        name: line.name,
        values: line.values,
        colour: COLOURS[k % COLOURS.length] ?? "line-0",
        dash: DASHES[k % DASHES.length] ?? [],
      })),
      unit: block.unit,
    }),
    [block],
  );
  const label = `${block.title}: ${count(block.lines.length, "line")} of ${count(block.times.length, "point")}. The table below says the same.`;
  return (
    <figure class="block">
      <figcaption>{block.title}</figcaption>
      <Plot spec={spec} label={label} height={180} />
      <LinesTable block={block} />
    </figure>
  );
}

function GraphView({ block }: { block: Of<"graph"> }) {
  const { series, edges } = block.graph;
  const parts = useMemo(() => strongest(series, edges), [series, edges]);
  return (
    <figure class="block">
      <figcaption>
        {block.title}
        {parts.edges.length < edges.length && (
          <span class="quiet">
            , the {parts.edges.length} strongest of {count(edges.length, "edge")}
          </span>
        )}
      </figcaption>
      {edges.length === 0 ? (
        <p class="quiet">No edge was learned.</p>
      ) : (
        <CausalGraph {...parts} label={`${block.title}: ${count(parts.edges.length, "edge")}`} />
      )}
    </figure>
  );
}

const EDGES = 24;

function strongest(
  series: Of<"graph">["graph"]["series"],
  edges: Of<"graph">["graph"]["edges"],
) {
  const kept = [...edges].sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0)).slice(0, EDGES);
  const touched = new Set(kept.flatMap((edge) => [edge.cause, edge.effect]));
  return { series: series.filter((one) => touched.has(one.key)), edges: kept, roles: NO_ROLES };
}

const NO_ROLES = {};
