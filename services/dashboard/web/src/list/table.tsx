// The table with its keys: where one is, what is selected, what is done to it.
import { useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Incident } from "../api/types";
import { go } from "../state/route";
import { say } from "../ui/announce";
import { onControl, useKeys } from "../ui/keys";
import { BulkBar, desk, MergeDialog } from "./bulk";
import { Rows } from "./rows";

export function Table(props: {
  items: readonly Incident[];
  changed: (items: readonly Incident[]) => void;
  reload: () => void;
  notice: ComponentChildren;
}) {
  const { items } = props;
  const [at, setAt] = useState(-1);
  const place = useRef(-1); // where keys are pressed faster than the page is drawn
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [merging, setMerging] = useState(false);
  const links = useRef<(HTMLAnchorElement | null)[]>([]);
  const work = desk(props.changed, props.reload);
  const selected = items.filter((item) => chosen.has(item.id));
  const stand = (row: number) => {
    place.current = row;
    setAt(row);
  };
  const here = () => items[place.current];
  const meant = () => {
    const one = here();
    return selected.length > 0 ? selected : one ? [one] : [];
  };
  const move = (by: number) => {
    stand(Math.min(items.length - 1, Math.max(0, place.current + by)));
    links.current[place.current]?.focus();
  };
  const open = (event: KeyboardEvent) => {
    const one = here();
    if (one && !onControl(event)) go(`/incidents/${one.name}`);
  };
  const toggle = (id: string | undefined) => {
    if (id === undefined) return;
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const askToMerge = () => {
    if (selected.length > 1) setMerging(true);
    else say("Select two or more incidents with x, then merge them with m.");
  };
  useKeys({
    j: () => move(1),
    k: () => move(place.current < 0 ? 1 : -1),
    x: () => toggle(here()?.id),
    a: () => meant().length > 0 && void work.acknowledge(meant()),
    r: () => meant().length > 0 && void work.resolve(meant()),
    m: askToMerge,
    Enter: open,
    "/": (event) => {
      event.preventDefault();
      document.getElementById("search")?.focus();
    },
  });
  return (
    <>
      <div class="notice-line">
        <div role="status">{props.notice}</div>
        <BulkBar
          chosen={selected}
          desk={work}
          onMerge={askToMerge}
          onClear={() => setChosen(new Set())}
        />
      </div>
      <Rows items={items} at={at} links={links} chosen={chosen} onAt={stand} onChoose={toggle} />
      {merging && (
        <MergeDialog
          items={selected}
          onClose={() => setMerging(false)}
          onMerge={(into, others) => {
            setChosen(new Set());
            void work.merge(into, others);
          }}
        />
      )}
    </>
  );
}
