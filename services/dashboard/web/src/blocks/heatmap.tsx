// A table whose cells are the warmer, the larger their values are; the numbers stand in them.
import type { Block } from "../api/types";
import { quantity } from "../text/figures";
import { Code } from "../ui/marks";
import { Scroll } from "../ui/states";

const SHADES = 5;

export function HeatmapBlock({ block }: { block: Extract<Block, { kind: "heatmap" }> }) {
  const most = Math.max(1e-12, ...block.values.flat().map((value) => Math.abs(value ?? 0)));
  return (
    <div class="block">
      <Scroll label={block.title}>
        <table class="heatmap">
          <caption class="quiet">{block.title}</caption>
          <thead>
            <tr>
              <th scope="col"> </th>
              {block.column_names.map((name, k) => (
                <th key={k} scope="col" class="num">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.values.map((row, r) => (
              <tr key={r}>
                <th scope="row">
                  <Code text={block.row_names[r] ?? ""} />
                </th>
                {row.map((value, k) => (
                  <td key={k} class={`num ${shade(value, most)}`}>
                    {quantity(value, block.unit)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}

function shade(value: number | null, most: number): string {
  if (value === null || value === 0) return "";
  const level = Math.max(1, Math.ceil((SHADES * Math.abs(value)) / most));
  return `${value > 0 ? "warm" : "cold"}-${level}`;
}
