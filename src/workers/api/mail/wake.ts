import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import type { SentMail } from "../../../core/mail/api.ts";
import { isAsleep, isUp, wakeCommand } from "../../../core/mail/wake.ts";
import type { NewTask } from "../../../core/queue/task.ts";
import type { Environment } from "../../bindings/environment.ts";
import { agentRegistry, priorityQueue } from "../../bindings/objects.ts";
import type { KnownAddressee } from "./recipients.ts";

const MAX_HOSTS = 1_000;

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
  const asleep = found.filter(isAsleep);
  const up = found.filter((one) => one.wakes_on_mail === true && isUp(one));
  // One that runs may have looked for its mail already, and be about to end.
  const hostsUp = up.map(({ host }) => host);
  if (hostsUp.length > 0) await agentRegistry(env, ecosystem).wakeWhenAsleep(to, id, hostsUp);
  const next = found.flatMap(({ next_wake_at }) => next_wake_at ?? []).sort()[0] ?? null;
  if (asleep.length === 0) return next === null ? NOT_WOKEN : { ...NOT_WOKEN, wake: "scheduled", next_wake_at: next };
  const commands = asleep.map(({ host }): NewTask => wakeCommand(host, to, id));
  await priorityQueue(env, ecosystem, HOSTS_QUEUE).enqueue(commands);
  return { wake: "asked", hosts: asleep.map(({ host }) => host), next_wake_at: next };
}
