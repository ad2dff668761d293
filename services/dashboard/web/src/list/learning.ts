// Whether the detector knows enough of the series yet to see one depart.
import { answer, api } from "../api/client";
import type { Status } from "../api/types";

/** Rows of a series that the detector needs before it watches it. */
export const NEEDED_ROWS = 30;
const LOOKED_AT = 8;

/** Rows of the longest of some series, at most as many as are needed. */
export async function rowsKnown(status: Status, signal: AbortSignal): Promise<number> {
  const end = status.last_sample_unix;
  if (end === null) return 0;
  const known = await answer(
    api.GET("/api/v1/series", { params: { query: { limit: LOOKED_AT } }, signal }),
  );
  const keys = known.items.map((one) => one.key);
  if (keys.length === 0) return 0;
  const start = end - 2 * NEEDED_ROWS * status.step_seconds;
  const query = {
    series: keys,
    start: new Date(start * 1000).toISOString(),
    end: new Date((end + 1) * 1000).toISOString(),
    points: 2 * NEEDED_ROWS,
  };
  const told = await answer(api.GET("/api/v1/series/data", { params: { query }, signal }));
  return Math.max(0, ...told.items.map((one) => rowsOf(one, status.step_seconds)));
}

/** How many rows lie between the first and the last value of a series. */
export function rowsOf(
  curve: { times_unix: readonly number[]; values: readonly (number | null)[] },
  step: number,
): number {
  const times = curve.times_unix.filter((_, k) => curve.values[k] !== null);
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) return 0;
  return Math.min(NEEDED_ROWS, Math.floor((last - first) / step) + 1);
}
