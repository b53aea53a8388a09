import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { mayAct } from "../base/session.ts";
import { notify, notifyFailure } from "./toasts.tsx";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A modal dialog. The browser keeps the focus inside, and gives it back at the end. */
export function Dialog({ title, onClose, class: kind = "", children }: DialogProps) {
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog ref={element} class={`dialog ${kind}`} aria-labelledby={id} onClose={onClose}>
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => element.current?.close()}>
          ✕
        </button>
      </div>
      {children}
    </dialog>
  );
}

interface ActProps {
  readonly label: string;
  /** A sentence that says what will happen; absent: done without asking. */
  readonly confirm?: string | undefined;
  readonly run: () => Promise<unknown>;
  readonly done: string;
  readonly after?: (() => void) | undefined;
  readonly kind?: "primary" | "danger" | "quiet" | undefined;
  /** Whether a session that only reads may do it, too; default: it may not, and sees no button. */
  readonly reads?: boolean;
  /** Tells apart buttons of one label. */
  readonly about?: string | undefined;
}

/** A button that acts through the API: asks where that is wise, shows that it works, and says how it ended. */
export function Act({ label, confirm, run, done, after, kind, reads = false, about }: ActProps) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const act = async () => {
    setAsking(false);
    setBusy(true);
    try {
      await run();
      notify(done);
      after?.();
    } catch (error) {
      notifyFailure(label, error);
    } finally {
      setBusy(false);
    }
  };
  if (!reads && !mayAct.value) return null;
  return (
    <>
      <button
        type="button"
        class={kind ?? ""}
        disabled={busy}
        aria-label={about === undefined ? undefined : `${label}: ${about}`}
        onClick={confirm === undefined ? act : () => setAsking(true)}
      >
        {busy ? "Working…" : label}
      </button>
      {asking && (
        <Dialog title={label} onClose={() => setAsking(false)}>
          <p>{confirm}</p>
          <div class="dialog-foot">
            <button type="button" onClick={() => setAsking(false)}>
              Cancel
            </button>
            <button type="button" class={kind === "danger" ? "danger" : "primary"} onClick={act}>
              {label}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
