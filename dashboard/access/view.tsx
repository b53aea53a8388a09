import { place, queryOf, to } from "../base/router.ts";
import { Head } from "../parts/basics.tsx";
import { Audit } from "./audit.tsx";
import { Inbox } from "./inbox.tsx";
import { Sessions } from "./sessions.tsx";
import { Tokens } from "./tokens.tsx";
import { Webhooks } from "./webhooks.tsx";

const TABS = [
  ["audit", "Who did what"],
  ["tokens", "Tokens"],
  ["sessions", "Sessions"],
  ["webhooks", "Webhooks"],
  ["inbox", "Inbox"],
] as const;

export function AccessView() {
  const { ecosystem } = place.value;
  const tab = queryOf("tab") || "audit";
  return (
    <>
      <Head title="Access, webhooks, audit" />
      <nav class="tabs" aria-label="Parts of this view">
        {TABS.map(([name, title]) => (
          <a key={name} href={to("access", undefined, { tab: name })} aria-current={tab === name ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      {tab === "audit" && <Audit ecosystem={ecosystem} />}
      {tab === "tokens" && <Tokens />}
      {tab === "sessions" && <Sessions />}
      {tab === "webhooks" && <Webhooks ecosystem={ecosystem} />}
      {tab === "inbox" && <Inbox ecosystem={ecosystem} />}
    </>
  );
}
