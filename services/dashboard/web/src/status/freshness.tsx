// How fresh the data are, in the header of every page, and what is wrong with the system.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { answer, api, type Problem } from "../api/client";
import type { Status } from "../api/types";
import { now, serverSays } from "../state/clock";
import { asProblem } from "../state/resource";
import { href, path } from "../state/route";
import { Banner } from "../ui/states";
import { When } from "../ui/marks";
import { stamp } from "../text/times";

/** The state of the system, read again every 15 seconds while the page is seen. */
export const system = signal<Status | undefined>(undefined);
export const silence = signal<Problem | undefined>(undefined);
const EVERY_MS = 15_000;
const STALE_SECONDS = 180;

export async function readStatus(): Promise<void> {
  try {
    system.value = await answer(api.GET("/api/v1/status"));
    serverSays(Date.parse(system.value.at) / 1000);
    silence.value = undefined;
  } catch (error) {
    silence.value = asProblem(error);
  }
}

export function Freshness() {
  useEffect(() => {
    void readStatus();
    const timer = setInterval(() => {
      if (!document.hidden) void readStatus();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const last = system.value?.last_sample_unix;
  if (silence.value) {
    return (
      <p class="fresh late">
        <span class="dot" aria-hidden="true" />
        no answer
      </p>
    );
  }
  if (last === undefined || last === null) return null;
  return (
    <p class={stale(last) ? "fresh late" : "fresh"}>
      <span class="dot" aria-hidden="true" />
      <span class="words">last sample</span> <When unix={last} />
    </p>
  );
}

function stale(last: number): boolean {
  return now.value - last > STALE_SECONDS;
}

/** Stale data, parts that do not answer, a server that is gone: said on top of every page. */
export function SystemBanners() {
  const status = system.value;
  const failed = status?.checks.filter((check) => !check.ok) ?? [];
  const last = status?.last_sample_unix ?? undefined;
  return (
    <>
      {silence.value && silence.value.status !== 401 && (
        <Banner kind="bad" title="The server does not answer.">
          What you see was read before; it is asked again every 15 seconds.
        </Banner>
      )}
      {failed.length > 0 && (
        <Banner kind="bad" title="Degraded.">
          {failed.map((check) => `${check.name}: ${check.reason}`).join("; ")}.{" "}
          {path.value !== "/status" && <a href={href("/status")}>See the status</a>}
        </Banner>
      )}
      {last !== undefined && !silence.value && stale(last) && (
        <Banner kind="warn" title="Stale data.">
          The last sample came <When unix={last} /> ({stamp(last)}). What you see may be out of
          date. {path.value !== "/status" && <a href={href("/status")}>See what comes in</a>}
        </Banner>
      )}
    </>
  );
}
