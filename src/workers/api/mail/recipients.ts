import { isBoundTo } from "../../../core/access/bindings.ts";
import type { FleetHost } from "../../../core/hosts/fleet.ts";
import { MAIL_QUEUE } from "../../../core/mail/api.ts";
import { nearestFew } from "../../../core/problem/nearest.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { Addressee } from "../../../durable-objects/queue/mail-recipients.ts";
import type { Environment } from "../../bindings/environment.ts";
import { agentRegistry, directory, priorityQueue, queueLobby } from "../../bindings/objects.ts";
import { MAX_QUEUES } from "../attention/look.ts";
import { Refusal } from "../http/refusal.ts";
import { findQueue } from "../queue/existing-queue.ts";

/** Hosts whose agents are looked at. */
const MAX_HOSTS = 1_000;
/** Workers that wait in the lobby come to a queue that has just begun: how often, and how long apart, they are looked for. */
const LOOKS = 10;
const BETWEEN_LOOKS_MS = 100;

const NOBODY: Addressee = { waits: false, open: 0, known: false, names: [] };

export interface KnownAddressee extends Addressee {
  /** Hosts with an agent of the recipient's name, where these were looked at. */
  readonly hosts: readonly FleetHost[] | undefined;
}

/**
 * A recipient of messages: an agent that a host supervises, one that a token is bound to, or one that has waited for mail or worked
 * for a queue. The queue of the messages knows those who were written to before, so that most messages ask nobody else.
 *
 * @throws Refusal where nobody of this name is known, with the names that are like it
 */
export async function addresseeOf(env: Environment, ecosystem: string, to: string): Promise<KnownAddressee> {
  const mail = await inMailbox(env, ecosystem, to);
  if (mail.known || mail.waits) return { ...mail, hosts: undefined };
  const { hosts } = await agentRegistry(env, ecosystem).fleet(MAX_HOSTS);
  const agents = hosts.flatMap(({ processes }) => processes.map(({ name }) => name));
  if (agents.includes(to)) return { ...mail, known: true, hosts };
  const tokens = (await directory(env).list()).filter(
    ({ ecosystems }) => ecosystems.includes("*") || ecosystems.includes(ecosystem),
  );
  const bound = tokens.flatMap(({ recipients }) => recipients ?? []);
  if (isBoundTo(bound, to)) return { ...mail, known: true, hosts };
  const workers = await workersOf(env, ecosystem);
  if (workers.includes(to)) return { ...mail, known: true, hosts };
  const names = [...new Set([...mail.names, ...agents, ...bound.filter((name) => !name.endsWith("*")), ...workers])];
  throw unknownRecipient(to, names);
}

async function inMailbox(env: Environment, ecosystem: string, to: string): Promise<Addressee> {
  const queue = await findQueue(env, ecosystem, MAIL_QUEUE);
  if (queue !== undefined) return queue.addressee(to);
  // Whoever waits for mail before there was any waits in the lobby, under the name of the queue alone.
  if (!(await queueLobby(env, ecosystem).beginForWorkers(MAIL_QUEUE))) return NOBODY;
  const begun = priorityQueue(env, ecosystem, MAIL_QUEUE);
  for (let look = 1; look < LOOKS; look++) {
    const found = await begun.addressee(to);
    if (found.waits || found.known) return found;
    await scheduler.wait(BETWEEN_LOOKS_MS);
  }
  return begun.addressee(to);
}

/** Recipients for whom somebody works, or worked lately, in any of the first queues. */
async function workersOf(env: Environment, ecosystem: string): Promise<string[]> {
  const { queues } = await directory(env).known(ecosystem);
  const asked = await Promise.allSettled(
    queues.slice(0, MAX_QUEUES).map(({ name }) => priorityQueue(env, ecosystem, name).status()),
  );
  return asked.flatMap((one) => {
    if (one.status === "rejected") return [];
    const { by_recipient, workers } = one.value;
    const worked = Object.entries(by_recipient).filter(
      ([, { complete, failed, running }]) => complete + failed + running > 0,
    );
    return [...worked.map(([name]) => name), ...Object.keys(workers)];
  });
}

function unknownRecipient(to: string, names: readonly string[]): Refusal {
  const near = nearestFew(to, names);
  const meant = near.length === 0 ? "" : ` Did you mean ${near.join(", ")}?`;
  const message =
    `nobody called "${to}" is known.${meant} A recipient is an agent of a host, one that a token is bound to, or one that has ` +
    "waited for mail or worked for a queue. A task goes to any recipient";
  return new Refusal(
    problem("unknown-recipient", 422, "The recipient is unknown", `/to: ${message}`, {
      errors: [{ pointer: "/to", message }],
      near,
    }),
  );
}
