import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import type { FleetHost } from "../../../core/hosts/fleet.ts";
import type { SentMail } from "../../../core/mail/api.ts";
import { MAIL_QUEUE } from "../../../core/mail/api.ts";
import type { NewTask } from "../../../core/queue/task.ts";
import type { Environment } from "../../bindings/environment.ts";
import { agentRegistry, priorityQueue } from "../../bindings/objects.ts";
import type { KnownAddressee } from "./recipients.ts";

const MAX_HOSTS = 1_000;
/** A host that is away for longer starts nobody any more; its agent asks for its messages when it runs. */
const WAKE_WITHIN_MS = 86_400_000;

type Wake = Pick<SentMail, "wake" | "hosts" | "next_wake_at">;

const NOT_WOKEN: Wake = { wake: "none", hosts: [], next_wake_at: null };

/**
 * Wakes the recipient of a message: one that waits for mail has it by then; a supervised agent that does not run is started where
 * its host's settings say so. A command has the id of the message, so that a message that is sent again starts nobody twice.
 */
export async function wake(
  env: Environment,
  ecosystem: string,
  { to, id }: { readonly to: string; readonly id: string },
  { waits, hosts: looked }: KnownAddressee,
): Promise<Wake> {
  if (waits) return { ...NOT_WOKEN, wake: "connected" };
  const hosts = looked ?? (await agentRegistry(env, ecosystem).fleet(MAX_HOSTS)).hosts;
  const found = hosts.flatMap(({ host, processes }) =>
    processes.filter(({ name }) => name === to).map((one) => ({ host, ...one })),
  );
  const asleep = found.filter(
    ({ wakes_on_mail, state }) => wakes_on_mail === true && state !== "up" && state !== "starting",
  );
  const next = found.flatMap(({ next_wake_at }) => next_wake_at ?? []).sort()[0] ?? null;
  if (asleep.length === 0) return next === null ? NOT_WOKEN : { ...NOT_WOKEN, wake: "scheduled", next_wake_at: next };
  const commands = asleep.map(({ host }): NewTask => wakeCommand(host, to, id));
  await priorityQueue(env, ecosystem, HOSTS_QUEUE).enqueue(commands);
  return { wake: "asked", hosts: asleep.map(({ host }) => host), next_wake_at: next };
}

const wakeCommand = (host: FleetHost["host"], to: string, id: string): NewTask => ({
  taskId: `${MAIL_QUEUE}/${host}/${id}`.slice(0, 256),
  recipient: host,
  type: "supervisor.wake",
  payloadJson: JSON.stringify({ names: [to] }),
  sender: `ganglion/${MAIL_QUEUE}`,
  priority: 5,
  delayMs: 0,
  maxAttempts: 2,
  timeoutMs: null,
  deadlineMs: WAKE_WITHIN_MS,
  caller: null,
  cause: null,
});
