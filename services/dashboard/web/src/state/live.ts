// What happens on the server, as it happens; where no stream comes, it is asked now and then.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { isRecord, root } from "../api/client";

export interface LiveEvent {
  kind: string;
  incident: string;
}

/** Whether events come by themselves. */
export const live = signal<"off" | "on" | "asking">("off");

type Listener = (event: LiveEvent) => void;
const listeners = new Set<Listener>();
const KINDS = ["incident", "diagnosis", "analysis"] as const;
const ASK_MS = 10_000;
let source: EventSource | undefined;
let asking = 0;

/** Call `act` when something happens that `matters`, soon after, once for many events at once. */
export function useLive(matters: (event: LiveEvent) => boolean, act: () => void): void {
  const latest = useRef({ matters, act });
  latest.current = { matters, act };
  useEffect(() => {
    let timer = 0;
    const listen: Listener = (event) => {
      if (timer || !latest.current.matters(event)) return;
      timer = window.setTimeout(() => {
        timer = 0;
        latest.current.act();
      }, 250);
    };
    listeners.add(listen);
    open();
    return () => {
      clearTimeout(timer);
      listeners.delete(listen);
      if (!listeners.size) close();
    };
  }, []);
}

function open(): void {
  if (source || asking || typeof EventSource === "undefined") return;
  source = new EventSource(`${root}/api/v1/events`);
  source.onopen = () => (live.value = "on");
  for (const kind of KINDS) source.addEventListener(kind, (event) => tell(kind, event));
  source.onerror = () => {
    if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
    source = undefined;
    ask();
  };
}

function close(): void {
  source?.close();
  source = undefined;
  clearInterval(asking);
  asking = 0;
  live.value = "off";
}

function ask(): void {
  live.value = "asking";
  asking = window.setInterval(() => {
    if (!document.hidden) for (const listen of listeners) listen({ kind: "", incident: "" });
  }, ASK_MS);
}

function tell(kind: string, event: MessageEvent<string>): void {
  const data: unknown = JSON.parse(event.data);
  const id = isRecord(data) ? data["incident_id"] : "";
  const told = { kind, incident: typeof id === "string" ? id : "" };
  for (const listen of listeners) listen(told);
}
