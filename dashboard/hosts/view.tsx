import { agentCalls } from "../../src/client/hosts.ts";
import type { AgentView } from "../../src/core/hosts/api.ts";
import type { FleetProcess } from "../../src/core/hosts/fleet.ts";
import { fleetHost } from "../../src/core/hosts/fleet-host.ts";
import { edgeOf } from "../base/edge.ts";
import { reloadOverview } from "../base/overview.ts";
import { open, place, queryOf, setQuery, to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { standingOf } from "../fleet/fleet.ts";
import { Badge, Empty, Facts, Head, Loaded, When } from "../parts/basics.tsx";
import { Act } from "../parts/dialog.tsx";
import { Table } from "../parts/table.tsx";
import { counted } from "../parts/words.ts";
import { command } from "./command.ts";
import { Output } from "./output.tsx";
import { ProcessHistory } from "./process-history.tsx";
import { HostSources } from "./sources.tsx";

const EVERY_MS = 3_000;

export function HostView() {
  const { ecosystem, id } = place.value;
  if (id === undefined) {
    return (
      <>
        <Head title="Host" />
        <Empty title="Which host?">
          <p>
            Choose one in the <a href={to("fleet")}>fleet</a>.
          </p>
        </Empty>
      </>
    );
  }
  return <OneHost key={`${ecosystem}/${id}`} ecosystem={ecosystem} host={id} />;
}

interface HostProps {
  readonly ecosystem: string;
  readonly host: string;
}

function OneHost({ ecosystem, host }: HostProps) {
  const calls = agentCalls(edgeOf(ecosystem));
  const state = usePolled(`${ecosystem} ${host}`, () => calls.get(host), EVERY_MS);
  const reload = () => {
    state.reload();
    reloadOverview();
  };
  return (
    <>
      <Head title={host} about={<a href={to("fleet")}>The fleet</a>} />
      <Loaded of={state}>
        {(view) => (
          <>
            <HostState view={view} />
            <Processes ecosystem={ecosystem} view={view} reload={reload} />
            <HostSources runs={view.runs} />
            {view.state === "down" && (
              <p>
                <Act
                  label="Forget this host"
                  kind="danger"
                  confirm={`Forget ${host}? It comes back by itself when its agent links again.`}
                  run={() => calls.forget(host)}
                  done={`${host} is forgotten`}
                  after={() => {
                    reloadOverview();
                    open(to("fleet"));
                  }}
                />
              </p>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

const REASONS = {
  linked: "its agent is linked",
  answered: "it answers again",
  link_lost: "it has lost its link: its machine, its network or its agent is down",
  silent: "it is linked and does not answer",
} as const;

function HostState({ view }: { readonly view: AgentView }) {
  const { state, since, reason, last_seen, version, alerts, failing } = view;
  const away = state === "down";
  return (
    <>
      {away && (
        <p class="note">
          ▲ The host is away. What stands below is what it reported last, and commands cannot reach it; its signals wait
          on its disk.
        </p>
      )}
      <p class="tally">
        <Badge tone={away ? "critical" : "good"}>{state}</Badge>
        {alerts.map(({ subject, value, limit, since: from }) => (
          <Badge key={subject} tone="warning">
            {subject} is at {value}, above {limit}, <When at={from} />
          </Badge>
        ))}
        {Object.entries(failing).map(([monitor, why]) => (
          <Badge key={monitor} tone="warning">
            {monitor}: {why}
          </Badge>
        ))}
      </p>
      <Facts
        of={[
          ["Since", <When key="s" at={since} />],
          ["Because", REASONS[reason] ?? reason],
          ["Last seen", <When key="l" at={last_seen} />],
          ["Agent", version ?? "unknown"],
        ]}
      />
    </>
  );
}

interface ProcessesProps {
  readonly ecosystem: string;
  readonly view: AgentView;
  readonly reload: () => void;
}

function Processes({ ecosystem, view, reload }: ProcessesProps) {
  const { processes } = fleetHost(view);
  const selected = queryOf("process");
  const chosen = processes.find(({ name }) => name === selected);
  const up = view.state === "up";
  if (processes.length === 0) {
    return (
      <Empty title="This host supervises no process.">
        <p>
          Give its settings a section <code>agents</code>: docs/supervisor.md shows how.
        </p>
      </Empty>
    );
  }
  return (
    <section aria-label="Processes">
      <h2>{counted(processes.length, "process", "processes")}</h2>
      <Table
        label="Table of processes"
        columns={["Process", "Stands", "Works on, or waits for", "Started", { number: "Restarts" }, "Actions"]}
      >
        {processes.map((process) => (
          <ProcessRow
            key={process.name}
            ecosystem={ecosystem}
            host={view.host}
            process={process}
            up={up}
            reload={reload}
          />
        ))}
      </Table>
      {chosen !== undefined && (
        <div class="two">
          <Output key={chosen.name} ecosystem={ecosystem} host={view.host} name={chosen.name} up={up} />
          <ProcessHistory key={`history ${chosen.name}`} ecosystem={ecosystem} host={view.host} name={chosen.name} />
        </div>
      )}
    </section>
  );
}

interface RowProps {
  readonly ecosystem: string;
  readonly host: string;
  readonly process: FleetProcess;
  readonly up: boolean;
  readonly reload: () => void;
}

function ProcessRow({ ecosystem, host, process, up, reload }: RowProps) {
  const { name, state, task, waiting_for, since, restarts, detail } = process;
  const { tone, word } = standingOf(process, up);
  const running = state === "up" || state === "starting";
  const act = (what: string) => () => command(ecosystem, host, what, { names: [name] });
  const chosen = queryOf("process") === name;
  return (
    <tr class={chosen ? "chosen" : ""}>
      <th scope="row">
        <button
          type="button"
          class="link"
          data-walk
          aria-pressed={chosen}
          onClick={() => setQuery({ process: chosen ? "" : name })}
        >
          {name}
        </button>
      </th>
      <td>
        <Badge tone={tone}>{word}</Badge>
      </td>
      <td>
        {waiting_for !== null
          ? `waits for ${waiting_for}`
          : (task ?? detail ?? <span class="faint">nothing that it told</span>)}
      </td>
      <td>{since === null ? <span class="faint">not running</span> : <When at={since} />}</td>
      <td class="number">{restarts}</td>
      <td>
        {!up && <span class="faint">the host is away</span>}
        {up && !running && (
          <Act label="Start" about={name} run={act("start")} done={`${name} was started`} after={reload} />
        )}
        {up && running && (
          <>
            <Act
              label="Restart"
              about={name}
              confirm={`Restart ${name} on ${host}? What it works on is interrupted.`}
              run={act("restart")}
              done={`${name} was restarted`}
              after={reload}
            />
            <Act
              label="Stop"
              kind="danger"
              about={name}
              confirm={`Stop ${name} on ${host}, and keep it stopped?`}
              run={act("stop")}
              done={`${name} was stopped`}
              after={reload}
            />
          </>
        )}
      </td>
    </tr>
  );
}
