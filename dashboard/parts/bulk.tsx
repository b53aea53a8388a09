import { useState } from "preact/hooks";
import { mayAct } from "../base/session.ts";
import type { Progress } from "./act-on-each.ts";
import { Dialog } from "./dialog.tsx";
import { Problem } from "./form.tsx";
import { counted, reasonOf } from "./words.ts";

interface BulkProps {
  readonly label: string;
  /** What is acted on, such as "dead letters that match the filter". */
  readonly what: string;
  /** Counts without changing anything. */
  readonly count: () => Promise<number>;
  /** Acts on all, and says after each step how far that is. */
  readonly run: (progress: (progress: Progress) => void) => Promise<Progress>;
  readonly after: () => void;
  readonly kind?: "danger";
  /** There is nothing to act on. The result of what was done a moment ago stays. */
  readonly none?: boolean;
}

type State =
  | { readonly step: "closed" | "counting" }
  | { readonly step: "counted"; readonly count: number }
  | { readonly step: "running" | "done"; readonly progress: Progress }
  | { readonly step: "failed"; readonly why: string };

/** An action on everything that a filter selects: first a count, then the result as it comes. */
export function Bulk({ label, what, count, run, after, kind, none }: BulkProps) {
  const [state, setState] = useState<State>({ step: "closed" });
  const failed = (error: unknown) => setState({ step: "failed", why: reasonOf(error) });
  const begin = () => {
    setState({ step: "counting" });
    count().then((found) => setState({ step: "counted", count: found }), failed);
  };
  const act = (all: number) => {
    setState({ step: "running", progress: { done: 0, all, failed: [] } });
    run((progress) => setState({ step: "running", progress })).then((progress) => {
      setState({ step: "done", progress });
      after();
    }, failed);
  };
  if (!mayAct.value) return null;
  return (
    <>
      <button type="button" class={kind ?? ""} disabled={none === true} onClick={begin}>
        {label}…
      </button>
      {state.step !== "closed" && (
        <Dialog title={label} onClose={() => setState({ step: "closed" })}>
          {state.step === "counting" && <p role="status">Counting…</p>}
          {state.step === "failed" && <Problem>{state.why}</Problem>}
          {state.step === "counted" && (
            <>
              <p>
                <strong>{counted(state.count, "item")}</strong>: {what}. Nothing has been changed yet.
              </p>
              <div class="dialog-foot">
                <button type="button" onClick={() => setState({ step: "closed" })}>
                  Cancel
                </button>
                <button
                  type="button"
                  class={kind ?? "primary"}
                  disabled={state.count === 0}
                  onClick={() => act(state.count)}
                >
                  {label} {state.count}
                </button>
              </div>
            </>
          )}
          {(state.step === "running" || state.step === "done") && (
            <Result progress={state.progress} done={state.step === "done"} />
          )}
        </Dialog>
      )}
    </>
  );
}

function Result({ progress, done }: { readonly progress: Progress; readonly done: boolean }) {
  return (
    <>
      <p role="status">
        {done ? "Ended: " : "Under way: "}
        <strong>{progress.done}</strong> of {progress.all} done
        {progress.failed.length > 0 && `, ${progress.failed.length} failed`}.
      </p>
      <progress aria-label="Progress" max={Math.max(1, progress.all)} value={progress.done + progress.failed.length} />
      {progress.failed.length > 0 && (
        <ul class="why-not">
          {progress.failed.slice(0, 50).map(({ id, why }) => (
            <li key={id}>
              <code>{id}</code>: {why}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
