// The plotted series read anew for the stretch that is shown, so that zooming shows more.
import { answer, api } from "../api/client";
import type { Diagnosis, Excerpt, IncidentDetail } from "../api/types";
import { useResource } from "../state/resource";
import { onsetOf } from "./span";
import type { Stretch } from "./zoom";

/** By key of the series; empty while all of the window is shown. */
export type Finer = ReadonlyMap<string, Excerpt>;

const NONE: Finer = new Map();

export function useFiner(
  detail: IncidentDetail,
  diagnosis: Diagnosis | null,
  zoom: Stretch | undefined,
): Finer {
  const excerpts = diagnosis?.excerpts ?? [];
  const keys = excerpts.map((one) => one.series.key);
  const found = useResource(JSON.stringify([keys, zoom]), async (signal) => {
    if (!zoom || keys.length === 0) return NONE;
    const [start, end] = zoom.map((unix) => new Date(unix * 1000).toISOString()) as [string, string];
    const onset = new Date(onsetOf(detail) * 1000).toISOString();
    const query = { series: keys, start, end, onset, points: 600 };
    const told = await answer(api.GET("/api/v1/series/data", { params: { query }, signal }));
    const bands = new Map(excerpts.map((one) => [one.series.key, one]));
    return new Map(
      told.items
        .filter((one) => one.values.some((value) => value !== null))
        .map((one) => [
          one.series.key,
          {
            ...one,
            low: bands.get(one.series.key)?.low ?? null,
            high: bands.get(one.series.key)?.high ?? null,
          },
        ]),
    );
  });
  return found.data ?? NONE;
}
