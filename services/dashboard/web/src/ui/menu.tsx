// A list that opens under a word; it closes when something else is pressed.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export function Menu(props: { words: ComponentChildren; class?: string; children: ComponentChildren }) {
  const element = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const leave = (event: Event) => {
      const inside = event.target instanceof Node && element.current?.contains(event.target);
      if (!inside) element.current?.removeAttribute("open");
    };
    addEventListener("pointerdown", leave);
    return () => removeEventListener("pointerdown", leave);
  }, []);
  return (
    <details
      class="menu"
      ref={element}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        element.current?.removeAttribute("open");
        element.current?.querySelector("summary")?.focus();
      }}
    >
      <summary class={props.class ?? ""}>{props.words}</summary>
      <ul class="plain-list">{props.children}</ul>
    </details>
  );
}

/** A line of a menu that does something; the menu closes. */
export function MenuItem({ words, onChosen }: { words: string; onChosen: () => void }) {
  return (
    <li>
      <button
        type="button"
        onClick={(event) => {
          event.currentTarget.closest("details")?.removeAttribute("open");
          onChosen();
        }}
      >
        {words}
      </button>
    </li>
  );
}
