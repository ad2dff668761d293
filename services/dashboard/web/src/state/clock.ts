// The time on the server, for ages and durations; every page reads the same one.
import { signal } from "@preact/signals";

let ahead = 0;
const EVERY_MS = 5000;
const NOTICEABLE = 2;

/** Unix seconds, moved on every five seconds while the page is seen. */
export const now = signal(Date.now() / 1000);

/** Keep to the server's clock: ages are counted from its times. */
export function serverSays(unix: number): void {
  const found = unix - Date.now() / 1000;
  if (Math.abs(found - ahead) < NOTICEABLE) return;
  ahead = found;
  move();
}

function move(): void {
  now.value = Date.now() / 1000 + ahead;
}

setInterval(() => {
  if (!document.hidden) move();
}, EVERY_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) move();
});
