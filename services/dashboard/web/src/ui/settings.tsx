// Colours and time zone, at the foot of every page.
import { theme, zone, type Theme, type Zone } from "../state/preferences";

const THEMES: readonly [Theme, string][] = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];
const ZONES: readonly [Zone, string][] = [
  ["utc", "UTC"],
  ["local", "Local"],
];

export function Settings() {
  return (
    <>
      <Choice name="Colours" all={THEMES} value={theme.value} choose={(v) => (theme.value = v)} />
      <Choice name="Times" all={ZONES} value={zone.value} choose={(v) => (zone.value = v)} />
    </>
  );
}

function Choice<T extends string>(props: {
  name: string;
  all: readonly (readonly [T, string])[];
  value: T;
  choose: (value: T) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={props.name}>
      <span aria-hidden="true">{props.name}</span>
      {props.all.map(([value, words]) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === props.value}
          onClick={() => props.choose(value)}
        >
          {words}
        </button>
      ))}
    </div>
  );
}
