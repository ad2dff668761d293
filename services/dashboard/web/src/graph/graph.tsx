// A causal graph as a picture, what its signs mean, and the same as a table.
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Edge, Series } from "../api/types";
import { dark, zone } from "../state/preferences";
import { number, share } from "../text/figures";
import { SeriesName } from "../ui/marks";
import { Scroll } from "../ui/states";
import type { DrawnGraph } from "./draw";
import { graphSpec, lagOf, signOf, type Roles } from "./spec";

export interface GraphProps {
  series: readonly Series[];
  edges: readonly Edge[];
  roles: Roles;
  label: string;
  chosen?: string | undefined;
  onChoose?: (key: string | undefined) => void;
}

export function CausalGraph(props: GraphProps) {
  return (
    <>
      <Picture {...props} />
      <p class="quiet key-line">
        <span>
          <b>A → B</b>: A's past improves the prediction of B
        </span>
        <span>
          <b>15 s</b>: by how much A leads
        </span>
        <span>
          <b>+</b> the same way, <b>−</b> against, <b>±</b> not known
        </span>
        <span>thicker: stronger</span>
        <span>dashed: in fewer than 70 % of the resamples</span>
      </p>
      <EdgeTable {...props} />
    </>
  );
}

function Picture(props: GraphProps) {
  const element = useRef<HTMLDivElement>(null);
  const drawn = useRef<DrawnGraph | undefined>(undefined);
  const choose = useRef(props.onChoose);
  choose.current = props.onChoose;
  const colours = dark.value;
  const where = zone.value;
  const spec = useMemo(
    () => graphSpec(props.series, props.edges, props.roles),
    [props.series, props.edges, props.roles, where],
  );
  useEffect(() => {
    const place = element.current;
    if (!place) return;
    let left = false;
    void import("./draw").then(({ draw }) => {
      if (left) return;
      drawn.current = draw(place, spec, (key) => choose.current?.(key));
      drawn.current.choose(props.chosen);
    });
    return () => {
      left = true;
      drawn.current?.destroy();
      drawn.current = undefined;
      place.replaceChildren();
    };
  }, [spec, colours]);
  useEffect(() => drawn.current?.choose(props.chosen), [props.chosen]);
  return (
    <Scroll label="Causal graph, scrollable">
      <div class="graph" ref={element} role="img" aria-label={props.label} />
    </Scroll>
  );
}

function EdgeTable({ series, edges, onChoose }: GraphProps) {
  const byKey = new Map(series.map((one) => [one.key, one]));
  const name = (key: string) => {
    const found = byKey.get(key);
    if (!found) return <code>{key}</code>;
    if (!onChoose) return <SeriesName series={found} />;
    return (
      <button type="button" class="link" onClick={() => onChoose(key)}>
        <SeriesName series={found} />
      </button>
    );
  };
  return (
    <details class="twin">
      <summary>The graph as a table</summary>
      <Scroll label="Edges of the causal graph">
        <table>
          <thead>
            <tr>
              <th scope="col">Cause</th>
              <th scope="col">Effect</th>
              <th scope="col" class="num">
                Lag
              </th>
              <th scope="col">Sign</th>
              <th scope="col" class="num">
                Strength
              </th>
              <th scope="col" class="num">
                In resamples
              </th>
            </tr>
          </thead>
          <tbody>
            {edges.map((edge, k) => (
              <tr key={k}>
                <th scope="row">{name(edge.cause)}</th>
                <td>{name(edge.effect)}</td>
                <td class="num">{lagOf(edge)}</td>
                <td>{signOf(edge)}</td>
                <td class="num">{number(edge.weight)}</td>
                <td class="num">{edge.confidence === null ? "–" : share(edge.confidence)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}
