import type { ComponentChildren } from "preact";
import { queryOf, setQuery } from "../base/router.ts";
import { VirtualList } from "./virtual-list.tsx";

interface SplitListProps<Item> {
  readonly items: readonly Item[];
  readonly label: string;
  readonly keyOf: (item: Item) => string;
  readonly row: (item: Item) => ComponentChildren;
  /** What is shown of the selected one. */
  readonly detail: (key: string) => ComponentChildren;
}

/** A list beside which stands what is selected: that is in the URL, and may have left the list. */
export function SplitList<Item>({ items, label, keyOf, row, detail }: SplitListProps<Item>) {
  const selected = queryOf("sel");
  return (
    <div class={selected === "" ? "split short" : "split short open"}>
      <VirtualList
        items={items}
        label={label}
        keyOf={keyOf}
        selected={selected}
        onSelect={(sel) => setQuery({ sel })}
        rowClass={() => "task-row"}
        row={row}
      />
      {selected !== "" && detail(selected)}
    </div>
  );
}

/** Ends the selection. */
export function CloseDetail() {
  return (
    <button type="button" onClick={() => setQuery({ sel: "" })}>
      Close
    </button>
  );
}
