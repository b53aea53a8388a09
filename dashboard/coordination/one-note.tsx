import { to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Facts, Loaded, When } from "../parts/basics.tsx";
import { Changing } from "../parts/changing.tsx";
import { Act } from "../parts/dialog.tsx";
import { CloseDetail } from "../parts/split-list.tsx";
import type { Calls } from "./calls.ts";
import { NoteEditor } from "./note-editor.tsx";

const EVERY_MS = 5_000;

interface OneNoteProps {
  readonly of: string;
  readonly calls: Calls;
  /** @param selected - what is selected then; "": nothing */
  readonly after: (selected: string) => void;
}

export function OneNote({ of: key, calls, after }: OneNoteProps) {
  const loaded = usePolled(key, () => calls.note(key), EVERY_MS);
  const history = to("live", undefined, { names: "Q_NOTE_CHANGED", where: `facts.key == ${JSON.stringify(key)}` });
  return (
    <aside class="detail" aria-label="The selected note">
      <Loaded of={loaded}>
        {(note) => (
          <>
            <h2>{key}</h2>
            <p class="detail-tools">
              <a href={history}>History</a>
              <Changing scope="tasks:work">
                <Act
                  label="Delete"
                  kind="danger"
                  about={key}
                  confirm={`Delete this version of ${key}?`}
                  run={() => calls.deleteNote(key, note.version)}
                  done={`${key} is deleted`}
                  after={() => after("")}
                />
              </Changing>
              <CloseDetail />
            </p>
            <Facts
              of={[
                ["Version", <code key="v">{note.version}</code>],
                ["Changed by", note.by],
                ["Changed", <When key="c" at={note.changed_at} />],
                ["Ends", note.expires_at === null ? "when it is deleted" : <When key="e" at={note.expires_at} />],
              ]}
            />
            <NoteEditor
              known={note}
              calls={calls}
              after={(selected) => {
                loaded.reload();
                after(selected);
              }}
            />
          </>
        )}
      </Loaded>
    </aside>
  );
}
