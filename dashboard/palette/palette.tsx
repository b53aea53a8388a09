import { signal } from "@preact/signals";
import { useId, useRef, useState } from "preact/hooks";
import { ecosystems } from "../base/ecosystems.ts";
import { overview } from "../base/overview.ts";
import { hrefOf, VIEWS } from "../base/place.ts";
import { open, place, to } from "../base/router.ts";
import { Dialog } from "../parts/dialog.tsx";
import { type Entry, matches } from "./matches.ts";

export const paletteOpen = signal(false);

/** Opens anything by its name or id. */
export function Palette() {
  return paletteOpen.value ? <OpenPalette /> : null;
}

function OpenPalette() {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const found = [...matches(entries(), typed), ...idEntries(typed.trim())];
  const chosen = found[Math.min(at, found.length - 1)];
  const close = () => {
    paletteOpen.value = false;
  };
  const take = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    close();
    open(entry.href);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Enter") {
      event.preventDefault();
      take(chosen);
    }
    if (step === 0 || found.length === 0) return;
    event.preventDefault();
    const next = (Math.min(at, found.length - 1) + step + found.length) % found.length;
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };
  return (
    <Dialog title="Open anything" class="palette" onClose={close}>
      <input
        autoFocus
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={chosen === undefined ? undefined : `${id}-${found.indexOf(chosen)}`}
        aria-label="Name or id of a view, host, process, queue, rule, gap, signal or task"
        placeholder="host, queue, rule, signal id…"
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={({ currentTarget }) => {
          setTyped(currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div ref={list} id={id} role="listbox" aria-label="What matches" class="palette-list">
        {found.map((entry, index) => (
          // Keys are taken by the field above.
          // biome-ignore lint/a11y/useKeyWithClickEvents: see above
          // biome-ignore lint/a11y/useFocusableInteractive: see above
          <div
            key={`${entry.kind} ${entry.href}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={entry === chosen}
            onClick={() => take(entry)}
          >
            <span class="pill">{entry.kind}</span> {entry.title}
            {entry.hint !== undefined && <span class="faint"> {entry.hint}</span>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="faint">Nothing has this name.</p>}
    </Dialog>
  );
}

/** What the page knows by name. */
function entries(): Entry[] {
  const { fleet, queues, gaps } = overview.value?.value ?? { fleet: { hosts: [] }, queues: [], gaps: { items: [] } };
  return [
    ...VIEWS.map(({ name, title }) => ({ kind: "view", title, href: to(name) })),
    ...fleet.hosts.map(({ host, state }) => ({ kind: "host", title: host, href: to("hosts", host), hint: state })),
    ...queues.map(({ queue, ready }) => ({
      kind: "queue",
      title: queue,
      href: to("queues", queue),
      hint: `${ready} ready`,
    })),
    ...gaps.items.map(({ name, fingerprint }) => ({ kind: "gap", title: name, href: to("gaps", fingerprint) })),
    ...fleet.hosts.flatMap(({ host, processes }) =>
      processes.map(({ name, verdict }) => ({
        kind: "process",
        title: `${name} on ${host}`,
        href: to("hosts", host, { process: name }),
        hint: verdict,
      })),
    ),
    ...ecosystems.value.map((ecosystem) => ({
      kind: "ecosystem",
      title: ecosystem,
      href: hrefOf({ ...place.value, ecosystem, id: undefined, query: {} }),
    })),
  ];
}

/** What was typed may be the name of something that the page does not know. */
function idEntries(typed: string): Entry[] {
  if (typed === "" || /\s/.test(typed)) return [];
  const queues = overview.value?.value?.queues ?? [];
  return [
    { kind: "signal", title: typed, href: to("chain", typed), hint: "its causes and effects" },
    { kind: "rule", title: typed, href: to("policies", typed) },
    {
      kind: "dead letters",
      title: typed,
      href: to("dead-letters", undefined, { text: typed }),
      hint: "that hold this text",
    },
    ...queues.slice(0, 5).map(({ queue }) => ({
      kind: "task",
      title: typed,
      href: to("queues", queue, { sel: typed }),
      hint: `in the queue ${queue}`,
    })),
  ];
}
