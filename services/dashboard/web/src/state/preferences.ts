// What a person set once: colours and time zone.
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
export type Zone = "utc" | "local";

export const theme = signal<Theme>(kept("rootward.theme", ["system", "light", "dark"]));
export const zone = signal<Zone>(kept("rootward.zone", ["utc", "local"]));
/** Whether the page is dark now; charts draw themselves again when it changes. */
export const dark = signal(false);

const system = matchMedia("(prefers-color-scheme: dark)");

effect(() => {
  keep("rootward.theme", theme.value);
  if (theme.value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
  dark.value = theme.value === "dark" || (theme.value === "system" && system.matches);
});
effect(() => keep("rootward.zone", zone.value));
system.addEventListener("change", () => {
  if (theme.value === "system") dark.value = system.matches;
});

function kept<T extends string>(name: string, allowed: readonly [T, ...T[]]): T {
  try {
    const value = localStorage.getItem(name);
    return allowed.find((one) => one === value) ?? allowed[0];
  } catch {
    return allowed[0];
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // It holds until the page is left, then.
  }
}
