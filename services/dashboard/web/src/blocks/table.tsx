// Tables of results: numbers to three digits, long ones cut, the rest in the JSON.
import type { Block } from "../api/types";
import { count, number, quantity } from "../text/figures";
import { stamp } from "../text/times";
import { Code } from "../ui/marks";
import { Scroll } from "../ui/states";

const ROWS = 60;

type Cell = string | number | null;

export function TableBlock({ block }: { block: Extract<Block, { kind: "table" }> }) {
  return (
    <div class="block">
      <DataTable title={block.title} columns={block.columns} rows={block.rows as Cell[][]} />
    </div>
  );
}

export function DataTable(props: {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
  unit?: string;
}) {
  const shown = props.rows.slice(0, ROWS);
  const numeric = props.columns.map((_, k) => {
    const cells = props.rows.map((row) => row[k] ?? null).filter((cell) => cell !== null);
    return cells.length > 0 && cells.every((cell) => typeof cell === "number");
  });
  return (
    <Scroll label={props.title}>
      <table>
        <caption class="quiet">{props.title}</caption>
        <thead>
          <tr>
            {props.columns.map((column, k) => (
              <th key={k} scope="col" class={numeric[k] ? "num" : ""}>
                {column || " "}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, r) => (
            <tr key={r}>
              {row.map((cell, k) => {
                const text = written(cell, props.unit ?? "");
                const style = numeric[k] ? "num" : "";
                return k === 0 ? (
                  <th key={k} scope="row" class={style}>
                    {typeof cell === "string" ? <Code text={text} /> : text}
                  </th>
                ) : (
                  <td key={k} class={style}>
                    {text}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {props.rows.length > ROWS && (
        <p class="quiet">{count(props.rows.length - ROWS, "more row")} in the JSON.</p>
      )}
    </Scroll>
  );
}

function written(cell: Cell, unit: string): string {
  if (cell === null) return "–";
  return typeof cell === "number" ? quantity(cell, unit) : cell;
}

export function Twin({ children }: { children: preact.ComponentChildren }) {
  return (
    <details class="twin">
      <summary>As a table</summary>
      {children}
    </details>
  );
}

export function LinesTable({ block }: { block: Extract<Block, { kind: "lines" }> }) {
  const rows = block.times.map((unix, k) => [
    stamp(unix),
    ...block.lines.map((line) => {
      const value = line.values[k];
      return value === null || value === undefined ? "–" : `${number(value)} ${block.unit}`.trim();
    }),
  ]);
  return (
    <Twin>
      <DataTable
        title={block.title}
        columns={["Time", ...block.lines.map((line) => line.name)]}
        rows={rows}
      />
    </Twin>
  );
}
