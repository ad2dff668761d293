// Plots drawn by uPlot; loaded only by pages that have one.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { quantity } from "../text/figures";
import { clock, stamp } from "../text/times";
import { zone } from "../state/preferences";
import { logTicks } from "./ticks";
import { axis, extent, type Lag, type PlotSpec } from "./spec";

export interface Drawn {
  resize: (width: number) => void;
  destroy: () => void;
}

export interface DrawOptions {
  width: number;
  height: number;
  /** Called with the stretch of time that was drawn with the pointer. */
  onZoom?: ((from: number, to: number) => void) | undefined;
  /** Plots with the same word share their cursor. */
  sync?: string | undefined;
}

const DAY = 86400;

export function draw(element: HTMLElement, spec: PlotSpec, options: DrawOptions): Drawn {
  const colour = palette(element);
  const plot = new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [8, 8, 0, 0],
      tzDate: (unix) =>
        zone.value === "utc" ? uPlot.tzDate(new Date(unix * 1000), "Etc/UTC") : new Date(unix * 1000),
      cursor: {
        ...(options.sync ? { sync: { key: options.sync, setSeries: false } } : {}),
        drag: { x: options.onZoom !== undefined, y: false, setScale: false },
        points: { size: 6 },
      },
      legend: { live: true, markers: { width: 2 } },
      scales: {
        x: { time: true, range: () => xRange(spec) },
        y: { range: () => yRange(spec), distr: spec.log ? 3 : 1, log: 10 },
      },
      axes: [xAxis(colour), { ...yAxis(colour, spec.unit), ...(spec.log ? LOG_AXIS : {}) }],
      series: [
        { label: "Time", value: (_, unix) => (unix === null ? "–" : stamp(unix)) },
        ...spec.lines.map((line) => ({
          label: line.name,
          stroke: colour(line.colour),
          width: 1.6,
          dash: line.dash ? [...line.dash] : undefined,
          spanGaps: false,
          points: { show: false },
          value: (_: uPlot, value: number | null, __: number, place: number | null) =>
            line.told && place !== null ? line.told(place) : quantity(value, spec.unit),
        })),
      ] as uPlot.Series[],
      hooks: {
        drawClear: [(u) => background(u, spec, colour)],
        draw: [(u) => marks(u, spec, colour)],
        setSelect: options.onZoom ? [(u) => zoomed(u, options.onZoom)] : [],
      },
    },
    [spec.times, ...spec.lines.map((line) => line.values)] as uPlot.AlignedData,
    element,
  );
  return {
    resize: (width) => plot.setSize({ width, height: options.height }),
    destroy: () => plot.destroy(),
  };
}

type Colour = (token: string) => string;

/** The page's tokens as colours that a canvas understands. */
function palette(element: HTMLElement): Colour {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const known = new Map<string, string>();
  const read = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  return (token) => {
    const found = known.get(token) ?? read(token);
    known.set(token, found);
    return found;
  };
}

function xRange(spec: PlotSpec): [number, number] {
  const [from, to] = spec.domain ?? extent(spec.times) ?? [0, 1];
  return [from, to > from ? to : from + 1];
}

function yRange(spec: PlotSpec): [number, number] {
  const [from, to] = xRange(spec);
  const seen = (values: readonly (number | null | undefined)[]) =>
    values.filter((_, k) => (spec.times[k] ?? 0) >= from && (spec.times[k] ?? 0) <= to);
  const found = extent([...spec.lines.flatMap((line) => seen(line.values)), ...(spec.band ?? [])]);
  return found ? axis(...found, spec.log) : [0, 1];
}

function xAxis(colour: Colour): uPlot.Axis {
  return {
    stroke: colour("muted"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 4 },
    font: "11px system-ui, sans-serif",
    size: 26,
    space: 76,
    values: (_, ticks) => ticks.map((unix, k) => tick(unix, ticks[k - 1])),
  };
}

function tick(unix: number, before: number | undefined): string {
  const text = unix % 60 === 0 ? clock(unix).slice(0, 5) : clock(unix);
  const nextDay = before !== undefined && Math.floor(unix / DAY) !== Math.floor(before / DAY);
  return nextDay ? `${text} ${stamp(unix).slice(5, 10)}` : text;
}

function yAxis(colour: Colour, unit: string): uPlot.Axis {
  return {
    stroke: colour("muted"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
    size: 62,
    space: 34,
    values: (_, ticks) => ticks.map((value) => quantity(value, unit)),
  };
}

const LOG_AXIS: uPlot.Axis = {
  splits: (_, __, low, high) => logTicks(low, high),
  filter: (_, ticks) => ticks,
};

function background(u: uPlot, spec: PlotSpec, colour: Colour): void {
  const { left, top, width, height } = u.bbox;
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  if (spec.shade) {
    const [from, to] = spec.shade.map((unix) => u.valToPos(unix, "x", true)) as [number, number];
    ctx.globalAlpha = 0.12;
    ctx.fillStyle = colour("shade");
    ctx.fillRect(from, top, to - from, height);
  }
  if (spec.band) {
    const [low, high] = spec.band.map((value) => u.valToPos(value, "y", true)) as [number, number];
    ctx.globalAlpha = 0.18;
    ctx.fillStyle = colour("band");
    ctx.fillRect(left, high, width, Math.max(2, low - high));
  }
  ctx.restore();
}

function marks(u: uPlot, spec: PlotSpec, colour: Colour): void {
  const { left, top, width, height } = u.bbox;
  const { ctx } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
  ctx.lineWidth = ratio;
  (spec.marks ?? []).forEach((mark, k) => {
    const x = u.valToPos(mark.at, "x", true);
    if (x < left || x > left + width) return;
    ctx.strokeStyle = ctx.fillStyle = colour(mark.colour);
    ctx.setLineDash(k % 2 ? [4 * ratio, 3 * ratio] : []);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    const onLeft = x > left + width * 0.75;
    ctx.textAlign = onLeft ? "right" : "left";
    ctx.fillText(mark.text, x + (onLeft ? -4 : 4) * ratio, top + (11 + 13 * k) * ratio);
  });
  if (spec.lag) lagged(u, spec.lag, colour);
  ctx.restore();
}

/** A line from one departure to the other, with how long it took. */
function lagged(u: uPlot, lag: Lag, colour: Colour): void {
  const { left, top, width, height } = u.bbox;
  const { ctx } = u;
  const ratio = devicePixelRatio;
  const [from, to] = [lag.from, lag.to].map((unix) => u.valToPos(unix, "x", true)) as [number, number];
  if (to < left || from > left + width) return;
  const y = top + height / 2;
  ctx.setLineDash([]);
  ctx.strokeStyle = ctx.fillStyle = colour("ink");
  ctx.lineWidth = 1.5 * ratio;
  ctx.beginPath();
  for (const end of [from, to]) {
    ctx.moveTo(end, y - 4 * ratio);
    ctx.lineTo(end, y + 4 * ratio);
  }
  ctx.moveTo(from, y);
  ctx.lineTo(to, y);
  ctx.stroke();
  const roomBefore = from > left + 60 * ratio; // there both lines still lie on their baselines
  ctx.textAlign = roomBefore ? "right" : "left";
  ctx.fillText(lag.text, roomBefore ? from - 6 * ratio : to + 6 * ratio, y + 4 * ratio);
}

function zoomed(u: uPlot, onZoom: DrawOptions["onZoom"]): void {
  const { left, width } = u.select;
  if (width < 6) return;
  onZoom?.(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}
