import { useState } from "preact/hooks";
import type { signalCalls } from "../../src/client/signals.ts";
import { open, to } from "../base/router.ts";
import { Dialog } from "../parts/dialog.tsx";
import { notify } from "../parts/toasts.tsx";
import { reasonOf } from "../parts/words.ts";

interface PublishProps {
  readonly calls: ReturnType<typeof signalCalls>;
  readonly onClose: () => void;
}

/** Publishes a signal by hand, to try a rule or a reaction. */
export function Publish({ calls, onClose }: PublishProps) {
  const [name, setName] = useState("TEST");
  const [source, setSource] = useState("dashboard");
  const [facts, setFacts] = useState("{}");
  const [problem, setProblem] = useState("");
  const publish = async (event: Event) => {
    event.preventDefault();
    try {
      const read: unknown = JSON.parse(facts);
      if (typeof read !== "object" || read === null || Array.isArray(read)) throw new Error("facts are a JSON object");
      const { ids } = await calls.emit({ signal: name, source, facts: Object.fromEntries(Object.entries(read)) });
      notify(`${name} is in the log`);
      onClose();
      const [id] = ids;
      if (id !== undefined) open(to("chain", id));
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <Dialog title="Publish a test signal" onClose={onClose}>
      <form class="form" onSubmit={publish}>
        <label>
          Name
          <input value={name} required onInput={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
        <label>
          Source
          <input value={source} required onInput={({ currentTarget }) => setSource(currentTarget.value)} />
        </label>
        <label>
          Facts (JSON)
          <textarea
            class="mono"
            rows={6}
            value={facts}
            onInput={({ currentTarget }) => setFacts(currentTarget.value)}
          />
        </label>
        {problem !== "" && (
          <p class="problem" role="alert">
            ▲ {problem}
          </p>
        )}
        <div class="dialog-foot">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Publish
          </button>
        </div>
      </form>
    </Dialog>
  );
}
