import { Dialog } from "./dialog";

const KEYS: readonly (readonly [string, string])[] = [
  ["j / k", "next / previous incident in the list"],
  ["Enter", "open the incident"],
  ["x", "select it"],
  ["a", "acknowledge: the selected ones, or the one you are on"],
  ["r", "resolve; on a resolved one, reopen"],
  ["m", "merge the selected incidents"],
  ["/", "search"],
  ["u", "back to the list"],
  ["?", "this list"],
];

export function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([key, words]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
