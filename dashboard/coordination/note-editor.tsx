import { useEffect, useState } from "preact/hooks";
import type { Note } from "../../src/core/notes/api.ts";
import { may, mayAct } from "../base/session.ts";
import { Json } from "../parts/basics.tsx";
import { Area, Field, Form } from "../parts/form.tsx";
import { readObject } from "../parts/json-object.ts";
import { notify } from "../parts/toasts.tsx";
import type { Calls } from "./calls.ts";

interface NoteEditorProps {
  /** The note as it is now; `undefined`: one is made. */
  readonly known: Note | undefined;
  readonly calls: Calls;
  readonly after: (key: string) => void;
}

const textOf = (note: Note | undefined): string => JSON.stringify(note?.value ?? {}, null, 2);

/**
 * Edits the value of a note. What is saved replaces the version that was edited, and no other: where another writer was faster,
 * the editor says so and keeps both, until somebody chooses.
 */
export function NoteEditor({ known, calls, after }: NoteEditorProps) {
  const [base, setBase] = useState(known);
  const [key, setKey] = useState(known?.key ?? "");
  const [text, setText] = useState(textOf(known));
  const untouched = text === textOf(base);
  const newer = known !== undefined && known.version !== base?.version ? known : undefined;
  const take = (note: Note) => {
    setBase(note);
    setText(textOf(note));
  };
  // Nothing was typed: the newer value takes the place of the older one.
  useEffect(() => {
    if (untouched && newer !== undefined) take(newer);
  }, [newer, untouched]);
  if (!mayAct.value || !may("tasks:work"))
    return known === undefined ? null : <Json value={known.value} label="Value" />;
  const save = async () => {
    const saving = { value: readObject(text), version: base?.version, expiresAt: base?.expires_at ?? null };
    try {
      const saved = await calls.saveNote(key, saving);
      take(saved);
      notify(`${key} is saved, version ${saved.version}`);
    } finally {
      // Also where it was refused: the present version is looked at.
      if (base !== undefined) after(key);
    }
    if (base === undefined) after(key);
  };
  return (
    <Form label="Save" submit={save} disabled={newer !== undefined || (untouched && known !== undefined)}>
      {known === undefined && <Field label="Key" required maxLength={512} value={key} onChange={setKey} />}
      <Area label="Value (JSON)" mono rows={8} value={text} onChange={setText} />
      {newer !== undefined && !untouched && (
        <div class="note" role="status">
          ▲ {newer.by} has changed it meanwhile, to version {newer.version}:
          <Json value={newer.value} label="The newer value" />
          <button type="button" onClick={() => take(newer)}>
            Take theirs
          </button>{" "}
          <button type="button" onClick={() => setBase(newer)}>
            Keep mine
          </button>
        </div>
      )}
    </Form>
  );
}
