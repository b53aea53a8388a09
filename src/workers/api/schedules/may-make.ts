import { isBoundTo, notBound } from "../../../core/access/bindings.ts";
import { authorise, type Grant } from "../../../core/access/grant.ts";
import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { ScheduleSettings } from "../../../core/schedules/settings.ts";
import { isOwnSignal } from "../../../core/signals/reserved.ts";
import { Refusal } from "../http/refusal.ts";
import { mustCommand } from "../queue/commands.ts";

/**
 * Refuses schedules that make what the token could not make itself: commands for hosts, and signals of the edge's own.
 *
 * @throws Refusal
 */
export function mayMake(
  grant: Grant,
  ecosystem: string,
  { task, signal }: Pick<ScheduleSettings, "task" | "signal">,
): void {
  const lacks = (scope: "hosts:command" | "admin", detail: string) => {
    if (authorise(grant, scope, ecosystem, Date.now()) !== "allowed")
      throw new Refusal(problem("no-scope", 403, "The token lacks the scope", detail, { scope }));
  };
  if (task?.queue === HOSTS_QUEUE) {
    lacks(
      "hosts:command",
      `Tasks of the queue ${HOSTS_QUEUE} are commands for hosts: this needs the scope hosts:command.`,
    );
    mustCommand(grant, HOSTS_QUEUE, [task]);
  }
  if (signal !== undefined && isOwnSignal(signal.signal))
    lacks(
      "admin",
      `${signal.signal} is emitted by the edge alone: choose another name, or use a token with the scope admin.`,
    );
}

/** A token that is bound to sources reports for the schedules of their names. @throws Refusal */
export function mayReport({ sources }: Grant, schedule: string): void {
  if (!isBoundTo(sources, schedule)) throw new Refusal(notBound("sources", sources, schedule));
}
