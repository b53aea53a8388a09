import { useEffect, useRef } from "preact/hooks";
import { ecosystems } from "../base/ecosystems.ts";
import { connection } from "../base/edge.ts";
import { overview } from "../base/overview.ts";
import { hrefOf, type MenuView, menuOf, titleOf, VIEWS } from "../base/place.ts";
import { open, place, queryOf, setQuery, to } from "../base/router.ts";
import { readsOnly } from "../base/session.ts";
import { nextTheme, theme } from "../base/theme.ts";
import { Palette, paletteOpen } from "../palette/palette.tsx";
import { Badge } from "../parts/basics.tsx";
import { Toasts } from "../parts/toasts.tsx";
import { counted } from "../parts/words.ts";
import { CurrentView } from "./current-view.tsx";
import { Help, helpOpen } from "./help.tsx";

export function Shell() {
  const { view, id, ecosystem } = place.value;
  const tv = view === "fleet" && queryOf("tv") === "1";
  useEffect(() => {
    const critical = overview.value?.value?.attention.critical ?? 0;
    document.title = `${critical > 0 ? `(${critical}) ` : ""}${titleOf({ view, id })} · ${ecosystem} · Ganglion`;
  }, [view, id, ecosystem, overview.value]);
  return (
    <div class={tv ? "shell tv" : "shell"}>
      <a class="skip" href="#main">
        To the view
      </a>
      {tv ? <TvBar /> : <TopBar />}
      {!tv && <Menu />}
      <main id="main" class={`view view-${view}`}>
        <ConnectionNote />
        <CurrentView />
      </main>
      <Toasts />
      <Palette />
      <Help />
    </div>
  );
}

function TopBar() {
  return (
    <header class="top">
      <a class="brand" href={to("attention")}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M4 4l8 2-5 6z" />
          <circle cx="4" cy="4" r="2.5" />
          <circle cx="12" cy="6" r="2.5" />
          <circle cx="7" cy="12" r="2.5" />
        </svg>
        Ganglion
      </a>
      <EcosystemSwitch />
      <button type="button" class="search" onClick={() => (paletteOpen.value = true)}>
        <span>Open anything</span> <kbd>Ctrl K</kbd>
      </button>
      <span class="grow" />
      {readsOnly.value && (
        <span class="pill" title="This session reads only. ganglion open --act begins one that may change things.">
          reads only
        </span>
      )}
      <Connection />
      <button
        type="button"
        class="quiet"
        aria-label={`Colours: ${theme.value}. Change`}
        title={`Colours: ${theme.value}`}
        onClick={nextTheme}
      >
        {theme.value === "dark" ? "☾" : theme.value === "light" ? "☀" : "◐"}
      </button>
      <button type="button" class="quiet" aria-label="Keys and help" onClick={() => (helpOpen.value = true)}>
        ?
      </button>
    </header>
  );
}

function EcosystemSwitch() {
  const { ecosystem } = place.value;
  const names = ecosystems.value.includes(ecosystem) ? ecosystems.value : [ecosystem, ...ecosystems.value];
  return (
    <select
      class="ecosystem"
      aria-label="Ecosystem"
      value={ecosystem}
      onChange={({ currentTarget }) => {
        const { view } = place.value;
        open(hrefOf({ ecosystem: currentTarget.value, view: menuOf(view), id: undefined, query: {} }));
      }}
    >
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** What stands beside an entry of the menu. */
function countOf(view: MenuView): { readonly count: number; readonly critical?: boolean } | undefined {
  const glance = overview.value?.value;
  if (glance === undefined) return undefined;
  const counts: Partial<Record<MenuView, { count: number; critical?: boolean }>> = {
    attention: { count: glance.attention.total, critical: glance.attention.critical > 0 },
    fleet: { count: glance.fleet.totals.down, critical: true },
    "dead-letters": { count: glance.dead_letters.total },
    gaps: { count: glance.gaps.open },
  };
  const own = counts[view];
  return own === undefined || own.count === 0 ? undefined : own;
}

function Menu() {
  const current = menuOf(place.value.view);
  const nav = useRef<HTMLElement>(null);
  // On a narrow screen the menu is a line that scrolls.
  useEffect(
    () => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }),
    [current],
  );
  return (
    <nav ref={nav} class="menu" aria-label="Views">
      {VIEWS.map(({ name, title }) => {
        const counted = countOf(name);
        return (
          <a key={name} href={to(name)} aria-current={name === current ? "page" : undefined}>
            <span>{title}</span>
            {counted !== undefined && (
              <span class={counted.critical === true ? "count critical" : "count"}>{counted.count}</span>
            )}
          </a>
        );
      })}
    </nav>
  );
}

const CONNECTION_WORDS = {
  connecting: "connecting",
  online: "live",
  offline: "no edge",
  "signed-out": "signed out",
} as const;

function Connection() {
  const state = connection.value;
  return (
    <span class={`connection ${state}`} role="status">
      <span class="live-dot" aria-hidden="true" />
      {CONNECTION_WORDS[state]}
    </span>
  );
}

/** What stands on the page is old, or nothing can be asked for: said where it cannot be missed. */
function ConnectionNote() {
  if (connection.value === "offline") {
    return (
      <p class="note" role="status">
        ▲ The edge does not answer. What stands here is what it said last; the page goes on by itself when the edge is
        back.
      </p>
    );
  }
  if (connection.value !== "signed-out") return null;
  const next = encodeURIComponent(location.pathname + location.search);
  return (
    <p class="note" role="status">
      ▲ Your session has ended. <a href={`/login?next=${next}`}>Sign in again</a>, or run <code>ganglion open</code>.
    </p>
  );
}

function TvBar() {
  const { total = 0, critical = 0 } = overview.value?.value?.attention ?? {};
  return (
    <header class="top">
      <span class="brand">{place.value.ecosystem}</span>
      <Badge tone={critical > 0 ? "critical" : total > 0 ? "warning" : "good"}>
        {total === 0 ? "nothing needs somebody" : `${counted(total, "cause")} to act on, ${critical} critical`}
      </Badge>
      <span class="grow" />
      <Connection />
      <button type="button" class="quiet" onClick={() => setQuery({ tv: "" })}>
        Leave TV
      </button>
    </header>
  );
}
