// What happens on the server, as it happens; where no stream comes, it is asked now and then.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { isRecord, root } from "../api/client";
import type { Provisional } from "../api/types";

export interface LiveEvent {
  /** incident, diagnosis or analysis; empty where anything may have happened. */
  kind: string;
  /** Id of the incident; empty where none or any is meant. */
  incident: string;
  /** The step that a diagnosis reached. */
  step: string;
  /** What was done to an incident: acknowledged, diagnosed, … */
  action: string;
  /** The first candidates of a diagnosis that still runs. */
  candidates: readonly Provisional[];
}

/** Whether events come by themselves. */
export const live = signal<"off" | "on" | "asking">("off");

type Listener = (event: LiveEvent) => void;
const listeners = new Set<Listener>();
const KINDS = ["incident", "diagnosis", "analysis"] as const;
const ANYTHING: LiveEvent = { kind: "", incident: "", step: "", action: "", candidates: [] };
const ASK_MS = 10_000;
const SOON_MS = 250;
let source: EventSource | undefined;
let asking = 0;

/** Call `act` when something happens that `matters`, soon after, once for many events at once. */
export function useLive(matters: (event: LiveEvent) => boolean, act: () => void): void {
  const latest = useRef({ matters, act });
  latest.current = { matters, act };
  useEffect(() => {
    let timer = 0;
    const stop = listen((event) => {
      if (timer || !latest.current.matters(event)) return;
      timer = window.setTimeout(() => {
        timer = 0;
        latest.current.act();
      }, SOON_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, []);
}

/** Hear every event until the returned function is called. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  open();
  return () => {
    listeners.delete(listener);
    if (!listeners.size) close();
  };
}

function open(): void {
  if (source || asking || typeof EventSource === "undefined") return;
  source = new EventSource(`${root}/api/v1/events`);
  source.onopen = () => {
    live.value = "on";
    tell(ANYTHING); // what happened before the stream began was not told
  };
  for (const kind of KINDS) source.addEventListener(kind, (event) => tell(read(kind, event)));
  source.addEventListener("reset", () => tell(ANYTHING));
  source.onerror = () => {
    live.value = "off";
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
    if (!document.hidden) tell(ANYTHING);
  }, ASK_MS);
}

function tell(event: LiveEvent): void {
  for (const listener of listeners) listener(event);
}

/** A message as an event; what it does not say is empty. */
export function read(kind: string, event: { data: string }): LiveEvent {
  const data: unknown = JSON.parse(event.data);
  const told = isRecord(data) ? data : {};
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  const listed: unknown[] = Array.isArray(told["candidates"]) ? told["candidates"] : [];
  return {
    kind,
    incident: text(told["incident_id"]),
    step: text(told["step"]),
    action: text(told["action"]),
    candidates: listed.filter(isRecord).map((one) => ({
      service: text(one["service"]),
      series: text(one["series"]),
      score: Number(one["score"]),
      onset_unix: typeof one["onset_unix"] === "number" ? one["onset_unix"] : null,
    })),
  };
}
