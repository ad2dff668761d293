// The stretch of time that everything on the page shows; it stands in the address.
import { query, setQuery } from "../state/route";

export type Stretch = readonly [number, number];

/** The stretch that was chosen; undefined for all of it. */
export function zoomRange(): Stretch | undefined {
  const from = Number(query.value.get("from"));
  const to = Number(query.value.get("to"));
  return from > 0 && to > from ? [from, to] : undefined;
}

export function zoomTo(from: number, to: number): void {
  setQuery({ from: from.toFixed(0), to: to.toFixed(0) });
}

export function zoomOut(): void {
  setQuery({ from: "", to: "" });
}

/** A stretch around a time, as long as a share of the whole. */
export function around(at: number, whole: Stretch, part: number): Stretch {
  const half = ((whole[1] - whole[0]) * part) / 2;
  return [Math.max(whole[0], at - half), Math.min(whole[1], at + half)];
}

/** A stretch from its ends, where both are known. */
export function domainOf(from: number | undefined, to: number | undefined): Stretch | undefined {
  return from !== undefined && to !== undefined ? [from, to] : undefined;
}
