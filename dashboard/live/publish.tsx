import { useState } from "preact/hooks";
import type { signalCalls } from "../../src/client/signals.ts";
import { open, to } from "../base/router.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Area, Field, Form } from "../parts/form.tsx";
import { readObject } from "../parts/json-object.ts";
import { notify } from "../parts/toasts.tsx";

interface PublishProps {
  readonly calls: ReturnType<typeof signalCalls>;
  readonly onClose: () => void;
}

/** Publishes a signal by hand, to try a rule or a reaction. */
export function Publish({ calls, onClose }: PublishProps) {
  const [name, setName] = useState("TEST");
  const [source, setSource] = useState("dashboard");
  const [facts, setFacts] = useState("{}");
  const publish = async () => {
    const { ids } = await calls.emit({ signal: name, source, facts: readObject(facts) });
    notify(`${name} is in the log`);
    onClose();
    const [id] = ids;
    if (id !== undefined) open(to("chain", id));
  };
  return (
    <Dialog title="Publish a test signal" onClose={onClose}>
      <Form label="Publish" submit={publish} onCancel={onClose}>
        <Field label="Name" required value={name} onChange={setName} />
        <Field label="Source" required value={source} onChange={setSource} />
        <Area label="Facts (JSON)" mono rows={6} value={facts} onChange={setFacts} />
      </Form>
    </Dialog>
  );
}
