import { useState } from "preact/hooks";
import type { Note } from "../../src/core/notes/api.ts";
import { inPages } from "../base/in-pages.ts";
import { queryOf, setQuery } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Empty, Loaded, When } from "../parts/basics.tsx";
import { Changing } from "../parts/changing.tsx";
import { TextFilter } from "../parts/fields.tsx";
import { More } from "../parts/more.tsx";
import { SplitList } from "../parts/split-list.tsx";
import { inLine } from "../parts/words.ts";
import type { Calls } from "./calls.ts";
import { NoteEditor } from "./note-editor.tsx";
import { OneNote } from "./one-note.tsx";

const EVERY_MS = 5_000;

export function Notes({ ecosystem, calls }: { readonly ecosystem: string; readonly calls: Calls }) {
  const [pages, setPages] = useState(1);
  const prefix = queryOf("text").trim();
  const selected = queryOf("sel");
  const isNew = queryOf("new") === "1";
  const loaded = usePolled(
    `${ecosystem} notes ${prefix} ${pages}`,
    () =>
      inPages<Note, string>(pages, async (after) => {
        const { notes, next } = await calls.notes(prefix, after);
        return { items: notes, next };
      }),
    EVERY_MS,
  );
  const after = (sel: string) => {
    setQuery({ sel, new: "" });
    loaded.reload();
  };
  return (
    <section aria-label="Notes">
      <div class="head-tools">
        <TextFilter name="text" label="Keys that begin with" hint="task/build-17/" />
        <Changing scope="tasks:work">
          <button type="button" aria-pressed={isNew} onClick={() => setQuery({ sel: "", new: isNew ? "" : "1" })}>
            New note
          </button>
        </Changing>
      </div>
      {isNew && <NoteEditor known={undefined} calls={calls} after={after} />}
      <Loaded of={loaded}>
        {({ items, more }) => (
          <>
            {items.length === 0 && selected === "" ? (
              <Empty title={prefix === "" ? "There is no note." : "No key begins so."} />
            ) : (
              <SplitList
                items={items}
                label="All notes"
                keyOf={({ key }) => key}
                row={({ key, value, version, by, changed_at }) => (
                  <>
                    <strong>{key}</strong>
                    <span class="faint">version {version}</span>
                    <span class="source">{by}</span>
                    <span class="mono facts-line">{inLine(value)}</span>
                    <span class="faint">
                      <When at={changed_at} />
                    </span>
                  </>
                )}
                detail={(key) => <OneNote key={key} of={key} calls={calls} after={after} />}
              />
            )}
            <More more={more} onMore={() => setPages(pages + 1)} />
          </>
        )}
      </Loaded>
    </section>
  );
}
