import { place, queryOf, to } from "../base/router.ts";
import { Head } from "../parts/basics.tsx";
import { callsOf } from "./calls.ts";
import { Limits } from "./limits.tsx";
import { Locks } from "./locks.tsx";
import { Notes } from "./notes.tsx";
import { Questions } from "./questions.tsx";

const TABS = [
  ["limits", "Limits", Limits],
  ["locks", "Locks", Locks],
  ["questions", "Questions", Questions],
  ["notes", "Notes", Notes],
] as const;

/** What agents agree on through the edge: what they may ask of providers, who holds what, what people decide, what they know. */
export function CoordinationView() {
  const { ecosystem } = place.value;
  const [shown, , Tab] = TABS.find(([name]) => name === queryOf("tab")) ?? TABS[0];
  return (
    <>
      <Head title="Coordination" />
      <nav class="tabs" aria-label="Parts of this view">
        {TABS.map(([name, title]) => (
          <a
            key={name}
            href={to("coordination", undefined, { tab: name })}
            aria-current={shown === name ? "page" : undefined}
          >
            {title}
          </a>
        ))}
      </nav>
      <Tab key={shown} ecosystem={ecosystem} calls={callsOf(ecosystem)} />
    </>
  );
}
