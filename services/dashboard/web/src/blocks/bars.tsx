// One value for each name; what is below zero goes to the left.
import type { Block } from "../api/types";
import { quantity } from "../text/figures";
import { Code } from "../ui/marks";
import { Scroll } from "../ui/states";

const WIDTH = 220;
const SHOWN = 40;

export function BarsBlock({ block }: { block: Extract<Block, { kind: "bars" }> }) {
  const values = block.values.map((value) => value ?? 0);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const x = (value: number) => ((value - low) / (high - low || 1)) * WIDTH;
  return (
    <div class="block">
      <Scroll label={block.title}>
        <table class="bars">
          <caption class="quiet">{block.title}</caption>
          <tbody>
            {block.names.slice(0, SHOWN).map((name, k) => {
              const value = values[k] ?? 0;
              return (
                <tr key={k}>
                  <th scope="row">
                    <Code text={name} />
                  </th>
                  <td class="num">{quantity(value, block.unit)}</td>
                  <td>
                    <svg width={WIDTH} height="12" aria-hidden="true">
                      <rect
                        class={value < 0 ? "fill below" : "fill"}
                        x={Math.min(x(0), x(value))}
                        width={Math.max(1, Math.abs(x(value) - x(0)))}
                        height="12"
                        rx="2"
                      />
                      <line class="zero" x1={x(0)} x2={x(0)} y1="0" y2="12" />
                    </svg>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      {block.names.length > SHOWN && (
        <p class="quiet">{block.names.length - SHOWN} more are in the JSON.</p>
      )}
    </div>
  );
}
