import type { Feature } from "../feature/feature.ts";
import { HostQueue } from "./host-queue.ts";
import { LocalSocket } from "./local-socket.ts";
import type { CommandsFeatureOptions } from "./settings.ts";

/** Takes commands from the local socket and from the edge. The last feature: all commands are registered before it. */
export const COMMANDS_FEATURE: Feature<CommandsFeatureOptions> = {
  name: "commands",
  stopsFirst: true,
  assemble({ options, log, commands }) {
    const { stateDir, url, token, ecosystem, hostId, stopMs } = options;
    const socket = new LocalSocket({ stateDir, commands, log, ...(stopMs !== undefined && { answerMs: stopMs }) });
    return { services: [socket, new HostQueue({ url, token, ecosystem, hostId, commands, log })] };
  },
};
