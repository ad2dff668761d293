// Points with names over two axes.
import type { Block } from "../api/types";
import { extent } from "../charts/spec";
import { useWidth } from "../charts/width";
import { count, number } from "../text/figures";
import { DataTable, Twin } from "./table";

const HEIGHT = 240;
const LEFT = 56;
const FOOT = 34;
const NAMED = 20;

export function ScatterBlock({ block }: { block: Extract<Block, { kind: "scatter" }> }) {
  const { element, width } = useWidth<HTMLDivElement>();
  const [xLow, xHigh] = padded(block.x);
  const [yLow, yHigh] = padded(block.y);
  const x = (value: number) => LEFT + ((value - xLow) / (xHigh - xLow)) * (width - LEFT - 16);
  const y = (value: number) => 12 + (1 - (value - yLow) / (yHigh - yLow)) * (HEIGHT - FOOT - 12);
  const rows = block.names.map((name, k) => [name, block.x[k] ?? null, block.y[k] ?? null]);
  const label = `${block.title}: ${count(block.names.length, "point")}, ${block.x_label} against ${block.y_label}. The table below says the same.`;
  return (
    <figure class="block">
      <figcaption>{block.title}</figcaption>
      <div ref={element}>
        {width > 0 && (
          <svg class="scatter" width={width} height={HEIGHT} role="img" aria-label={label}>
            <line class="grid" x1={LEFT} x2={width} y1={HEIGHT - FOOT} y2={HEIGHT - FOOT} />
            <line class="grid" x1={LEFT} x2={LEFT} y1={0} y2={HEIGHT - FOOT} />
            <text x={LEFT - 6} y={y(yHigh) + 8} class="end">
              {number(yHigh)}
            </text>
            <text x={LEFT - 6} y={y(yLow)} class="end">
              {number(yLow)}
            </text>
            <text x={LEFT} y={HEIGHT - FOOT + 14}>
              {number(xLow)}
            </text>
            <text x={width - 4} y={HEIGHT - FOOT + 14} class="end">
              {number(xHigh)}
            </text>
            <text x={(LEFT + width) / 2} y={HEIGHT - 4} class="middle">
              {block.x_label} (across), {block.y_label} (up)
            </text>
            {block.names.map((name, k) => (
              <g key={k}>
                <circle cx={x(block.x[k] ?? 0)} cy={y(block.y[k] ?? 0)} r="4.5">
                  <title>{`${name}: ${number(block.x[k])}, ${number(block.y[k])}`}</title>
                </circle>
                {block.names.length <= NAMED && (
                  <text x={x(block.x[k] ?? 0) + 7} y={y(block.y[k] ?? 0) + 4}>
                    {name}
                  </text>
                )}
              </g>
            ))}
          </svg>
        )}
      </div>
      <Twin>
        <DataTable title={block.title} columns={["Name", block.x_label, block.y_label]} rows={rows} />
      </Twin>
    </figure>
  );
}

function padded(values: readonly (number | null)[]): [number, number] {
  const [low, high] = extent(values) ?? [0, 1];
  const air = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - air, high + air];
}
