// What stands behind the answer: alerts, activity, similar incidents, methods, raw data.
import { useRef } from "preact/hooks";
import type { Activity, IncidentDetail, Method } from "../api/types";
import { query, setQuery } from "../state/route";
import { ActivityTab } from "./activity";
import { AlertsTab } from "./alerts";
import { MethodsTab, SimilarTab, similarOf } from "./asking";
import { RawTab } from "./raw";

export interface TabProps {
  detail: IncidentDetail;
  activity: readonly Activity[];
  methods: readonly Method[];
  reload: () => void;
}

interface Tab {
  id: string;
  words: string;
  many: (props: TabProps) => number | undefined;
  show: (props: TabProps) => preact.JSX.Element;
}

const TABS: readonly Tab[] = [
  { id: "alerts", words: "Alerts", many: (p) => p.detail.alerts.length, show: AlertsTab },
  { id: "activity", words: "Activity", many: (p) => p.activity.length, show: ActivityTab },
  { id: "similar", words: "Similar incidents", many: (p) => similarOf(p).length || undefined, show: SimilarTab },
  { id: "methods", words: "Methods", many: (p) => p.detail.analyses.length, show: MethodsTab },
  { id: "raw", words: "Reproduce", many: () => undefined, show: RawTab },
];

export function Tabs(props: TabProps) {
  const list = useRef<HTMLDivElement>(null);
  const wanted = query.value.get("tab");
  const chosen = TABS.find((tab) => tab.id === wanted) ?? TABS[0]!;
  const go = (id: string) => setQuery({ tab: id });
  const step = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const next = TABS[(TABS.indexOf(chosen) + by + TABS.length) % TABS.length]!;
    go(next.id);
    list.current?.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
  };
  const Show = chosen.show;
  return (
    <section class="tabbed" aria-label="Behind the answer">
      <div class="tabs" role="tablist" aria-label="Behind the answer" ref={list} onKeyDown={step}>
        {TABS.map((tab) => {
          const many = tab.many(props);
          return (
            <button
              key={tab.id}
              id={`tab-${tab.id}`}
              type="button"
              role="tab"
              aria-selected={tab === chosen}
              aria-controls="tab-panel"
              tabIndex={tab === chosen ? 0 : -1}
              onClick={() => go(tab.id)}
            >
              {tab.words} {many !== undefined && <span class="count">{many}</span>}
            </button>
          );
        })}
      </div>
      <div id="tab-panel" class="tab-panel" role="tabpanel" aria-labelledby={`tab-${chosen.id}`} tabIndex={0}>
        <Show {...props} />
      </div>
    </section>
  );
}
