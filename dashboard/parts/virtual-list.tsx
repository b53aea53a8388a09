import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { rowAfterKey, scrollFor, windowOf } from "./virtual-rows.ts";

interface VirtualListProps<Item> {
  readonly items: readonly Item[];
  readonly label: string;
  readonly rowHeight?: number;
  readonly keyOf: (item: Item) => string;
  readonly row: (item: Item) => ComponentChildren;
  readonly selected: string;
  readonly onSelect: (key: string) => void;
  /** Enter, or a second click. */
  readonly onOpen?: (item: Item) => void;
  /** Class of each row, for columns and colours. */
  readonly rowClass?: (item: Item) => string;
  /** Stay at the end as items come, while the reader is there. */
  readonly follow?: boolean;
}

/** A list of rows of one height, of which only those that are seen are in the document. */
export function VirtualList<Item>(props: VirtualListProps<Item>) {
  const { items, label, rowHeight = 28, keyOf, row, selected, onSelect, onOpen, rowClass, follow = false } = props;
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const atEnd = useRef(true);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (follow && atEnd.current && box.current !== null) box.current.scrollTop = items.length * rowHeight;
  }, [follow, items, rowHeight]);

  const chosen = items.findIndex((item) => keyOf(item) === selected);
  const { first, end } = windowOf(top, height, rowHeight, items.length);
  const onKeyDown = (event: KeyboardEvent) => {
    const current = items[chosen];
    if (event.key === "Enter" && current !== undefined) return onOpen?.(current);
    const next = rowAfterKey(event.key, chosen, items.length, Math.floor(height / rowHeight));
    const item = next === undefined ? undefined : items[next];
    if (next === undefined || item === undefined) return;
    event.preventDefault();
    onSelect(keyOf(item));
    if (box.current !== null) box.current.scrollTop = scrollFor(next, box.current.scrollTop, height, rowHeight);
  };
  return (
    <div
      ref={box}
      class="rows"
      style={{ maxHeight: `${items.length * rowHeight + 2}px` }}
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={chosen < first || chosen >= end ? undefined : `${id}-${chosen}`}
      onKeyDown={onKeyDown}
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
        atEnd.current = scrollTop + clientHeight >= scrollHeight - rowHeight;
        setTop(scrollTop);
      }}
    >
      <div class="rows-all" role="presentation" style={{ height: `${items.length * rowHeight}px` }}>
        {items.slice(first, end).map((item, place) => {
          const key = keyOf(item);
          return (
            // Keys are taken by the list itself, whose active row this is.
            // biome-ignore lint/a11y/useKeyWithClickEvents: see above
            // biome-ignore lint/a11y/useFocusableInteractive: see above
            <div
              key={key}
              id={`${id}-${first + place}`}
              role="option"
              aria-selected={key === selected}
              aria-posinset={first + place + 1}
              aria-setsize={items.length}
              class={`row ${rowClass?.(item) ?? ""}`}
              style={{ top: `${(first + place) * rowHeight}px`, height: `${rowHeight}px` }}
              onClick={() => (key === selected ? onOpen?.(item) : onSelect(key))}
            >
              {row(item)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
