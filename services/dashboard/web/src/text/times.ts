// Times as people read them, in UTC or in their own zone; every time says which.
import { zone, type Zone } from "../state/preferences";

type Parts = Record<"year" | "month" | "day" | "hour" | "minute" | "second", string>;

function parts(unix: number, where: Zone): Parts {
  const at = new Date(unix * 1000);
  const utc = where === "utc";
  const two = (value: number): string => String(value).padStart(2, "0");
  return {
    year: String(utc ? at.getUTCFullYear() : at.getFullYear()),
    month: two((utc ? at.getUTCMonth() : at.getMonth()) + 1),
    day: two(utc ? at.getUTCDate() : at.getDate()),
    hour: two(utc ? at.getUTCHours() : at.getHours()),
    minute: two(utc ? at.getUTCMinutes() : at.getMinutes()),
    second: two(utc ? at.getUTCSeconds() : at.getSeconds()),
  };
}

/** The zone that times are shown in: `UTC`, or `UTC+2` for local time. */
export function zoneName(unix = Date.now() / 1000): string {
  if (zone.value === "utc") return "UTC";
  const minutes = -new Date(unix * 1000).getTimezoneOffset();
  const hours = Math.abs(minutes) / 60;
  const whole = Math.floor(hours);
  const rest = Math.round((hours - whole) * 60);
  const tail = rest ? `:${String(rest).padStart(2, "0")}` : "";
  return `UTC${minutes < 0 ? "−" : "+"}${whole}${tail}`;
}

/** A time of day: `14:02:15`. */
export function clock(unix: number): string {
  const p = parts(unix, zone.value);
  return `${p.hour}:${p.minute}:${p.second}`;
}

/** A time of day to the minute: `14:02`. */
export function minute(unix: number): string {
  return clock(unix).slice(0, 5);
}

/** A date: `2026-11-23`. */
export function day(unix: number): string {
  const p = parts(unix, zone.value);
  return `${p.year}-${p.month}-${p.day}`;
}

/** A time with date and zone: `2026-11-23 14:02:15 UTC`. */
export function stamp(unix: number): string {
  return `${day(unix)} ${clock(unix)} ${zoneName(unix)}`;
}

/** A time as `<time datetime>` wants it. */
export function rfc3339(unix: number): string {
  return new Date(unix * 1000).toISOString();
}

/** How long before `now` a time lies, in one unit: `12 min ago`. */
export function ago(unix: number, now: number): string {
  const seconds = now - unix;
  if (seconds < 0) return seconds > -5 ? "just now" : `in ${oneUnit(-seconds)}`;
  return seconds < 2 ? "just now" : `${oneUnit(seconds)} ago`;
}

function oneUnit(seconds: number): string {
  for (const [size, name] of [[86400, "d"], [3600, "h"], [60, "min"]] as const) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${name}`;
  }
  return `${Math.floor(seconds)} s`;
}
