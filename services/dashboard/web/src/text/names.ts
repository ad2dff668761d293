// What series are called.
import type { Series } from "../api/types";

/** A series without its service: metric, instance and the other labels. */
export function metricOf(series: Series): string {
  const { service: _, instance, ...others } = series.labels;
  const rest = Object.entries(others).map(([name, value]) => `${name}=${value}`);
  const at = instance ? ` @ ${instance}` : "";
  return series.metric + at + (rest.length ? ` {${rest.join(", ")}}` : "");
}

/** An address that a page may lead to, undefined for any other. */
export function webAddress(url: string): string | undefined {
  return /^https?:\/\//.test(url) ? url : undefined;
}
