// What happened, said once: seen at the lower edge, heard by those who do not look.
import { signal } from "@preact/signals";

interface Said {
  text: string;
  undo?: () => void;
}

const said = signal<Said | undefined>(undefined);
let timer = 0;
const SHOWN_MS = 8000;

export function say(text: string, undo?: () => void): void {
  said.value = { text, ...(undo ? { undo } : {}) };
  clearTimeout(timer);
  timer = window.setTimeout(() => (said.value = undefined), SHOWN_MS);
}

export function Announcements() {
  const now = said.value;
  return (
    <div class="announcements" role="status" aria-live="polite">
      {now && (
        <p class="announcement">
          {now.text}{" "}
          {now.undo && (
            <button
              type="button"
              class="plain"
              onClick={() => {
                now.undo?.();
                said.value = undefined;
              }}
            >
              Undo
            </button>
          )}
        </p>
      )}
    </div>
  );
}
