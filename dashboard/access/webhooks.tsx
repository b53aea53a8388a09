import { webhookCalls } from "../../src/client/webhooks.ts";
import type { DeliveryView, Endpoint } from "../../src/core/webhooks/api.ts";
import { edgeOf } from "../base/edge.ts";
import { queryOf, setQuery, to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Loaded, When } from "../parts/basics.tsx";
import { Act } from "../parts/dialog.tsx";
import { Table } from "../parts/table.tsx";
import type { Tone } from "../parts/tone.ts";
import { counted } from "../parts/words.ts";

const EVERY_MS = 10_000;

type Calls = ReturnType<typeof webhookCalls>;

export function Webhooks({ ecosystem }: { readonly ecosystem: string }) {
  const calls = webhookCalls(edgeOf(ecosystem));
  const endpoints = usePolled(`${ecosystem} webhooks`, () => calls.list(), EVERY_MS);
  const selected = queryOf("sel");
  return (
    <section aria-label="Webhooks">
      <Loaded of={endpoints}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="There is no webhook endpoint.">
              <p>
                <code>ganglion webhooks add</code> names one, and a rule with <code>webhook</code> sends to it.
              </p>
            </Empty>
          ) : (
            <Table
              label="Endpoints"
              caption={counted(list.length, "endpoint")}
              columns={["Endpoint", "State", { number: "Waiting" }, "Last error", "Actions"]}
            >
              {list.map((endpoint) => (
                <Row key={endpoint.id} endpoint={endpoint} calls={calls} reload={endpoints.reload} />
              ))}
            </Table>
          )
        }
      </Loaded>
      {selected !== "" && <DeliveryList key={selected} ecosystem={ecosystem} calls={calls} id={selected} />}
    </section>
  );
}

function stateOf({ enabled, disabled_reason, failing_since }: Endpoint): readonly [Tone, string] {
  if (!enabled) return disabled_reason === "gone" ? ["critical", "off: it answered 410"] : ["calm", "off"];
  return failing_since === undefined ? ["good", "accepts"] : ["critical", "fails"];
}

interface RowProps {
  readonly endpoint: Endpoint;
  readonly calls: Calls;
  readonly reload: () => void;
}

function Row({ endpoint, calls, reload }: RowProps) {
  const { id, url, enabled, description, format, template, waiting, failing_since, last_error } = endpoint;
  const [tone, word] = stateOf(endpoint);
  return (
    <tr>
      <th scope="row">
        <button
          type="button"
          class="link"
          data-walk
          aria-pressed={queryOf("sel") === id}
          onClick={() => setQuery({ sel: queryOf("sel") === id ? "" : id })}
        >
          {id}
        </button>
        <div class="faint">{description ?? url}</div>
        {(format ?? template) !== undefined && <div class="faint">as {format ?? "its template says"}</div>}
      </th>
      <td>
        <Badge tone={tone}>{word}</Badge>
        {failing_since !== undefined && (
          <div class="faint">
            since <When at={failing_since} />
          </div>
        )}
      </td>
      <td class="number">{waiting}</td>
      <td>{last_error ?? <span class="faint">none</span>}</td>
      <td>
        <Act
          label="Test"
          about={id}
          run={() => test(calls, id)}
          done={`${id} accepted a test message`}
          after={reload}
        />
        <Act
          label={enabled ? "Switch off" : "Switch on"}
          about={id}
          confirm={enabled ? `Switch ${id} off? Messages for it are skipped until it is switched on.` : undefined}
          run={() => calls.change(id, { enabled: !enabled })}
          done={`${id} is ${enabled ? "off" : "on"}`}
          after={reload}
        />
      </td>
    </tr>
  );
}

async function test(calls: Calls, id: string): Promise<void> {
  const { delivered, status, error } = await calls.test(id);
  if (!delivered) throw new Error(error ?? `the endpoint answered ${status}`);
}

const TONES: Readonly<Record<string, Tone>> = {
  delivered: "good",
  failed: "critical",
  waiting: "notice",
  skipped: "calm",
};

interface DeliveryProps {
  readonly ecosystem: string;
  readonly calls: Calls;
  readonly id: string;
}

function DeliveryList({ ecosystem, calls, id }: DeliveryProps) {
  const deliveries = usePolled(`${ecosystem} ${id} deliveries`, () => calls.deliveries(id), EVERY_MS);
  return (
    <Loaded of={deliveries}>
      {(list) =>
        list.length === 0 ? (
          <Empty title={`Nothing was sent to ${id} yet.`} />
        ) : (
          <Table
            label="Messages"
            caption={<>The latest messages to {id}</>}
            columns={["Message", "State", { number: "Attempts" }, "Accepted", "Next attempt", "Because of"]}
          >
            {list.map((delivery) => (
              <Delivery key={delivery.id} delivery={delivery} />
            ))}
          </Table>
        )
      }
    </Loaded>
  );
}

function Delivery({ delivery }: { readonly delivery: DeliveryView }) {
  const { id, type, state, attempts, accepted_at, next_attempt_at, last_error, cause, rule } = delivery;
  return (
    <tr>
      <th scope="row">
        {type}
        <div class="faint mono">{id}</div>
      </th>
      <td>
        <Badge tone={TONES[state] ?? "notice"}>{state}</Badge>
        {last_error !== undefined && <div class="faint">{last_error}</div>}
      </td>
      <td class="number">{attempts}</td>
      <td>
        <When at={accepted_at} />
      </td>
      <td>{next_attempt_at === undefined ? <span class="faint">none</span> : <When at={next_attempt_at} />}</td>
      <td>
        {cause === undefined ? <span class="faint">a test</span> : <a href={to("chain", cause)}>{rule ?? cause}</a>}
      </td>
    </tr>
  );
}
