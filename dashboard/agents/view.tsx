import { agentSessionCalls } from "../../src/client/agent-sessions.ts";
import type { AgentSession } from "../../src/core/agent-sessions/api.ts";
import { edgeOf } from "../base/edge.ts";
import { place, queryOf, setQuery } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Head, Loaded, When } from "../parts/basics.tsx";
import { TextFilter } from "../parts/fields.tsx";
import { Table } from "../parts/table.tsx";
import { counted, dollars, figure } from "../parts/words.ts";
import { byNeed, tally, tokensOf, toneOf } from "./tally.ts";

const EVERY_MS = 5_000;
const LIMIT = 500;

/** The sessions of agents that report by telemetry or hooks: what each is doing, and what it has used. */
export function AgentsView() {
  const { ecosystem } = place.value;
  const calls = agentSessionCalls(edgeOf(ecosystem));
  const page = usePolled(`${ecosystem} agents`, () => calls.agentSessions({ limit: LIMIT }), EVERY_MS);
  const text = queryOf("text").trim().toLowerCase();
  return (
    <>
      <Head
        title="Agent sessions"
        about="What agents that report by telemetry or hooks are doing; who needs somebody stands first."
      >
        <TextFilter name="text" label="Filter" hint="agent, verdict, task" />
      </Head>
      <Loaded of={page}>
        {({ sessions, total }) => {
          const shown = byNeed(sessions).filter(({ agent, session, verdict, task, directory }) =>
            `${agent} ${session} ${verdict} ${task ?? ""} ${directory ?? ""}`.toLowerCase().includes(text),
          );
          if (shown.length === 0)
            return (
              <Empty title={total === 0 ? "No session of an agent has reported." : "Nothing matches this filter."}>
                {total === 0 && (
                  <p>
                    Claude Code, Codex and every SDK of OpenTelemetry report without a changed line:
                    docs/agent-telemetry.md has the block to copy for each.
                  </p>
                )}
              </Empty>
            );
          return (
            <>
              <p class="tally">
                {tally(shown).map(([verdict, count]) => (
                  <Badge key={verdict} tone={toneOf(verdict)}>
                    {count} {verdict}
                  </Badge>
                ))}
              </p>
              <Table
                label="Sessions"
                caption={`${counted(total, "session")}${total > sessions.length ? `, the ${sessions.length} seen last shown` : ""}`}
                columns={[
                  "Session",
                  "State",
                  { number: "Tokens" },
                  { number: "Cost" },
                  { number: "Tools" },
                  { number: "Context" },
                  "Seen",
                ]}
              >
                {shown.map((session) => (
                  <Row key={`${session.agent} ${session.session}`} session={session} />
                ))}
              </Table>
              <Chains of={shown.find(({ session }) => session === queryOf("sel"))} />
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function Row({ session: one }: { readonly session: AgentSession }) {
  const { agent, session, verdict, in_words, task, directory, model, usage, context_share, last_seen_at } = one;
  const selected = queryOf("sel") === session;
  const failed = usage.tool_failures + usage.api_failures;
  return (
    <tr>
      <th scope="row">
        <button
          type="button"
          class="link"
          data-walk
          aria-pressed={selected}
          onClick={() => setQuery({ sel: selected ? "" : session })}
        >
          {agent}
        </button>
        <div class="faint mono">{session}</div>
        {(task ?? directory) !== null && <div class="faint">{task ?? directory}</div>}
      </th>
      <td>
        <Badge tone={toneOf(verdict)}>{in_words}</Badge>
        {model !== null && <div class="faint">{model}</div>}
      </td>
      <td class="number">{figure(tokensOf(one))}</td>
      <td class="number">{dollars(usage.cost_usd)}</td>
      <td class="number">
        {usage.tool_calls}
        {failed > 0 && <div class="faint">{failed} failed</div>}
      </td>
      <td class="number">
        {context_share === null ? <span class="faint">unknown</span> : `${Math.round(context_share * 100)} %`}
      </td>
      <td>
        <When at={last_seen_at} />
      </td>
    </tr>
  );
}

/** What a session has used for each trace and task that it worked for. */
function Chains({ of }: { readonly of: AgentSession | undefined }) {
  if (of === undefined) return null;
  if (of.chains.length === 0) return <Empty title="This session has named no trace and no task." />;
  return (
    <Table
      label="Traces and tasks"
      caption={`What ${of.agent} used for each trace and task`}
      columns={["Trace or task", { number: "Tokens" }, { number: "Cost" }, { number: "Requests" }]}
    >
      {of.chains.map((chain) => (
        <tr key={chain.chain}>
          <th scope="row" class="mono">
            {chain.chain}
          </th>
          <td class="number">{figure(tokensOf(chain))}</td>
          <td class="number">{dollars(chain.usage.cost_usd)}</td>
          <td class="number">{chain.usage.requests}</td>
        </tr>
      ))}
    </Table>
  );
}
