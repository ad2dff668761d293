// Numbers and units as people read them: three significant digits at most.
export const MISSING = "–";
const LARGE = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const;
const BINARY = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]] as const;
const SECONDS = [[1, 1, "s"], [1e-3, 1e3, "ms"], [1e-6, 1e6, "µs"], [0, 1e9, "ns"]] as const;
const NOISE = 1e-12;

/** At most three significant digits, thousands by prefix: 1234567 is `1.23 M`. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  if (size < NOISE) return "0";
  for (const [least, prefix] of LARGE) {
    if (size >= 0.9995 * least) return `${digits(value / least)} ${prefix}`;
  }
  if (size < 1e-3) return value.toExponential(2).replaceAll("-", "−");
  return digits(value);
}

/** A number with its unit, in the multiple that suits it: 0.21 s is `210 ms`. */
export function quantity(value: number | null | undefined, unit = ""): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return number(value);
  if (unit === "ms") return quantity(value / 1000, "s");
  if (unit === "s" && value !== 0) return seconds(value);
  if (unit === "B") {
    for (const [least, name] of BINARY) {
      if (Math.abs(value) >= least) return `${digits(value / least)} ${name}`;
    }
    return `${digits(value)} B`;
  }
  return `${number(value)} ${unit}`.trimEnd();
}

function seconds(value: number): string {
  const size = Math.abs(value);
  if (size >= 120) return (value < 0 ? "−" : "") + span(size);
  const [, factor, name] = SECONDS.find(([least]) => size >= least) ?? SECONDS[0];
  return `${digits(value * factor)} ${name}`;
}

/** A share of one as a percentage without decimals; small ones as `< 1 %`. */
export function share(value: number): string {
  return value > 0 && value < 0.01 ? "< 1 %" : `${(100 * value).toFixed(0)} %`;
}

/** A probability as people count: `about 7 in 10`; never as certainty. */
export function inTen(value: number): string {
  if (value >= 0.95) return "more than 9 in 10";
  if (value < 0.05) return "fewer than 1 in 10";
  return `about ${Math.max(1, Math.round(10 * value))} in 10`;
}

/** A length of time in its two largest units: 3840 s is `1 h 4 min`. */
export function span(length: number): string {
  if (length < 1) return length > 0 ? `${digits(length * 1000)} ms` : "0 s";
  if (length < 60) return `${digits(length)} s`;
  let left = Math.round(length);
  const parts: string[] = [];
  for (const [size, name] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]] as const) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(`${count} ${name}`);
    else if (parts.length) break;
  }
  return parts.slice(0, 2).join(" ");
}

/** A signed distance in time: `+45 s`, `−2 min`. */
export function offset(length: number): string {
  if (Math.abs(length) < 0.5) return "0 s";
  return (length < 0 ? "−" : "+") + span(Math.abs(length));
}

/** A count with its noun: `1 alert`, `3 alerts`. */
export function count(many: number, one: string, several = `${one}s`): string {
  return `${many.toLocaleString("en-US")} ${many === 1 ? one : several}`;
}

function digits(value: number): string {
  if (value === 0) return "0";
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const text = value.toFixed(Math.min(decimals, 20));
  return (text.includes(".") ? text.replace(/\.?0+$/, "") : text).replace("-", "−");
}
