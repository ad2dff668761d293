// Something that is fetched: what is there stays while it is fetched again.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../api/client";

export interface Resource<T> {
  /** Undefined until the first answer. */
  data: T | undefined;
  /** Why the last attempt failed; undefined once one succeeds. */
  problem: Problem | undefined;
  busy: boolean;
  reload: () => Promise<void>;
  /** Show something at once, before the server says so. */
  show: (data: T) => void;
}

/** What `load` answers; fetched again whenever `key` changes. */
export function useResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
): Resource<T> {
  const [state, setState] = useState<Loaded<T>>({ key, busy: true });
  const latest = useRef(load);
  latest.current = load;
  const running = useRef<AbortController | undefined>(undefined);

  const reload = useCallback(async () => {
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    setState((old) => (old.key === key ? { ...old, busy: true } : { key, busy: true }));
    try {
      const data = await latest.current(control.signal);
      if (!control.signal.aborted) setState({ key, busy: false, data });
    } catch (error) {
      if (control.signal.aborted) return;
      setState((old) => ({ ...old, key, busy: false, problem: asProblem(error) }));
    }
  }, [key]);

  useEffect(() => {
    void reload();
    return () => running.current?.abort();
  }, [reload]);

  const show = useCallback((data: T) => setState({ key, busy: false, data }), [key]);
  const current = state.key === key ? state : { busy: true, data: undefined, problem: undefined };
  return { data: current.data, problem: current.problem, busy: current.busy, reload, show };
}

interface Loaded<T> {
  key: string;
  busy: boolean;
  data?: T;
  problem?: Problem;
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new Problem(0, "page_error", "This page made a mistake", words);
}
