// A dialog of the browser's own making: it keeps the focus and gives it back.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem } from "../state/resource";

export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog ref={element} onClose={props.onClose} aria-labelledby="dialog-title">
      <header>
        <h2 id="dialog-title">{props.title}</h2>
        <button
          type="button"
          class="plain"
          aria-label="Close"
          onClick={() => element.current?.close()}
        >
          ✕
        </button>
      </header>
      {props.children}
    </dialog>
  );
}

/** A dialog that asks something and does it: it closes once it is done, or says why it is not. */
export function DialogForm(props: {
  title: string;
  /** What the button says. */
  deed: ComponentChildren;
  /** Whether enough was said; true unless told otherwise. */
  ready?: boolean;
  onClose: () => void;
  onChosen: () => Promise<void> | void;
  children: ComponentChildren;
}) {
  const ready = props.ready ?? true;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const act = async () => {
    setBusy(true);
    try {
      await props.onChosen();
      props.onClose();
    } catch (error) {
      setProblem(asProblem(error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) void act();
        }}
      >
        {props.children}
        {problem && (
          <p class="bad" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" disabled={!ready || busy}>
          {props.deed}
        </button>
      </form>
    </Dialog>
  );
}
