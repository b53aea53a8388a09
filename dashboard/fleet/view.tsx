import type { FleetHost, FleetProcess } from "../../src/core/hosts/fleet.ts";
import { queryOf, to } from "../base/router.ts";
import { Badge, Empty, Head, When } from "../parts/basics.tsx";
import { ChoiceFilter, TextFilter, Toggle } from "../parts/fields.tsx";
import { OverviewState } from "../parts/overview-state.tsx";
import { counted, inLine } from "../parts/words.ts";
import { standingOf, totalsOf, wantedHosts } from "./fleet.ts";

export function FleetView() {
  return (
    <OverviewState>
      {({ fleet }) => {
        const totals = totalsOf(fleet.hosts);
        const hosts = wantedHosts(fleet.hosts, queryOf("text"), queryOf("standing"));
        const left = fleet.totals.hosts - fleet.hosts.length;
        return (
          <>
            <Head
              title="Fleet"
              about={`${counted(totals.hosts, "host")}${totals.down > 0 ? `, ${totals.down} down` : ""}, ${counted(totals.processes, "process", "processes")}`}
            >
              <TextFilter name="text" label="Filter" hint="host, process, what it waits for…" />
              <ChoiceFilter
                name="standing"
                label="Standing"
                options={[["", "all"], ...totals.words.map(([word, count]) => [word, `${word} (${count})`] as const)]}
              />
              <Toggle name="tv">TV</Toggle>
            </Head>
            <p class="tally" role="status">
              {totals.words.map(([word, count, tone]) => (
                <Badge key={word} tone={tone}>
                  <strong>{count}</strong> {word}
                </Badge>
              ))}
            </p>
            {hosts.length === 0 && <NoHosts filtered={fleet.hosts.length > 0} />}
            <div class="fleet">
              {hosts.map((host) => (
                <Host key={host.host} host={host} />
              ))}
            </div>
            {left > 0 && (
              <p class="faint">{counted(left, "more host")} are left out here; filter by name in the palette.</p>
            )}
          </>
        );
      }}
    </OverviewState>
  );
}

function Host({ host }: { readonly host: FleetHost }) {
  const up = host.state === "up";
  return (
    <section class={up ? "host" : "host down"} aria-label={`Host ${host.host}`}>
      <div class="host-head">
        <h2>
          <a href={to("hosts", host.host)} data-walk>
            {host.host}
          </a>
        </h2>
        <Badge tone={up ? "good" : "critical"}>{up ? "up" : "down"}</Badge>
        <span class="faint">
          <When at={host.since} />
        </span>
        {host.alerts.map(({ subject, value, limit }) => (
          <Badge key={subject} tone="warning">
            {subject} {value} above {limit}
          </Badge>
        ))}
      </div>
      {host.processes.length === 0 ? (
        <p class="faint">supervises nothing</p>
      ) : (
        <ul class="processes">
          {host.processes.map((process) => (
            <Process key={process.name} host={host.host} process={process} up={up} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Process({
  host,
  process,
  up,
}: {
  readonly host: string;
  readonly process: FleetProcess;
  readonly up: boolean;
}) {
  const { name, task, waiting_for, detail, restarts } = process;
  const { tone, word } = standingOf(process, up);
  const about = waiting_for !== null && up ? `waits for ${waiting_for}` : (task ?? detail ?? "");
  return (
    <li class={`process ${tone}`}>
      <a href={to("hosts", host, { process: name })} title={`${name}: ${word}${about === "" ? "" : `, ${about}`}`}>
        <Badge tone={tone}>{word}</Badge>
        <span class="process-name">{name}</span>
        <span class="process-about">{inLine(about, 80)}</span>
        {restarts > 0 && (
          <span class="restarts" title={`restarted ${restarts} times`}>
            ↻ {restarts}
          </span>
        )}
      </a>
    </li>
  );
}

function NoHosts({ filtered }: { readonly filtered: boolean }) {
  if (filtered) return <Empty title="No host or process matches this filter." />;
  return (
    <Empty title="No host has joined.">
      <p>
        On a machine, run <code>ganglion-agent join</code> with this edge's address and a token, made by{" "}
        <code>ganglion tokens create</code>. The host appears here within a second of its link.
      </p>
    </Empty>
  );
}
