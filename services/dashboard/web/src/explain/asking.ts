// Ask for a diagnosis of a stretch of time that need not be an incident.
import { answer, api, once } from "../api/client";
import { asProblem } from "../state/resource";
import { go } from "../state/route";
import { say } from "../ui/announce";

/** Start it and go where its outcome will stand. */
export async function explain([from, to]: readonly [number, number]): Promise<void> {
  const [start, end] = [from, to].map((unix) => new Date(unix * 1000).toISOString()) as [string, string];
  try {
    const run = await answer(
      api.POST("/api/v1/diagnoses", { body: { start, end, services: [] }, headers: once() }),
    );
    go(`/explain/${run.id}`);
  } catch (error) {
    say(asProblem(error).message);
  }
}
