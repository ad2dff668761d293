// A list of boxes to be ticked.
import type { ComponentChildren } from "preact";

export interface Choice<K extends string> {
  key: K;
  name: string;
  /** What else is said of it, in grey. */
  more?: ComponentChildren;
}

export function Choices<K extends string>(props: {
  legend: ComponentChildren;
  all: readonly Choice<K>[];
  chosen: readonly K[];
  choose: (chosen: readonly K[]) => void;
  /** What stands below them. */
  children?: ComponentChildren;
}) {
  const { chosen } = props;
  const toggle = (key: K, on: boolean) =>
    props.choose(on ? [...chosen, key] : chosen.filter((other) => other !== key));
  return (
    <fieldset class="choices">
      <legend>{props.legend}</legend>
      {props.all.map((one) => (
        <label key={one.key}>
          <input
            type="checkbox"
            checked={chosen.includes(one.key)}
            onInput={(event) => toggle(one.key, event.currentTarget.checked)}
          />{" "}
          <b>{one.name}</b> {one.more}
        </label>
      ))}
      {props.children}
    </fieldset>
  );
}
