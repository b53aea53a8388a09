import { TRACE_COMMAND } from "../../src/core/hosts/signal-trace.ts";
import type { Feature } from "../feature/feature.ts";
import { HostQueue } from "./host-queue.ts";
import { importDeadLetters } from "./import-dead-letters.ts";
import { LocalSocket } from "./local-socket.ts";
import type { CommandsFeatureOptions } from "./settings.ts";
import { traceSignals } from "./trace-signals.ts";

/** Takes commands from the local socket and from the edge. The last feature: all commands are registered before it. */
export const COMMANDS_FEATURE: Feature<CommandsFeatureOptions> = {
  name: "commands",
  stopsFirst: true,
  assemble({ options, log, commands, register, deadLetters, inbox, spool, provided, status }) {
    const { stateDir, url, token, ecosystem, hostId, stopMs } = options;
    register.command("dead-letters.import", (payload) => importDeadLetters(payload, deadLetters, hostId));
    register.command(TRACE_COMMAND, async (payload) =>
      traceSignals(payload, {
        host: hostId,
        cursor: inbox.cursor,
        subscriptions: status().subscriptions,
        cameFromBus: (id) => spool.owns(id, "bus"),
        runsOf: (id) => provided.reactionsTo?.(id) ?? [],
      }),
    );
    const socket = new LocalSocket({ stateDir, commands, log, ...(stopMs !== undefined && { answerMs: stopMs }) });
    return { services: [socket, new HostQueue({ url, token, ecosystem, hostId, commands, log })] };
  },
};
