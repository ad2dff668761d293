// A plot with its words: drawn when it is there to be seen, and again when colours or zone change.
import { useEffect, useRef } from "preact/hooks";
import { dark, zone } from "../state/preferences";
import type { Drawn } from "./draw";
import type { PlotSpec } from "./spec";

export function Plot(props: {
  spec: PlotSpec;
  /** What the plot says, for those who do not see it. */
  label: string;
  height?: number;
  sync?: string;
  onZoom?: (from: number, to: number) => void;
}) {
  const element = useRef<HTMLDivElement>(null);
  const zoom = useRef(props.onZoom);
  zoom.current = props.onZoom;
  const { spec, height = 150, sync } = props;
  const colours = dark.value;
  const where = zone.value;
  useEffect(() => {
    const place = element.current;
    if (!place) return;
    let drawn: Drawn | undefined;
    let left = false;
    const watch = new ResizeObserver(() => drawn?.resize(place.clientWidth));
    void import("./draw").then(({ draw }) => {
      if (left) return;
      const onZoom = zoom.current && ((from: number, to: number) => zoom.current?.(from, to));
      drawn = draw(place, spec, { width: place.clientWidth, height, sync, onZoom });
      watch.observe(place);
    });
    return () => {
      left = true;
      watch.disconnect();
      drawn?.destroy();
      place.replaceChildren();
    };
  }, [spec, height, sync, colours, where]);
  return <div class="plot" ref={element} role="img" aria-label={props.label} />;
}
