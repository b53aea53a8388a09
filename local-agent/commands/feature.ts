import type { Feature } from "../base/feature.ts";
import { HostQueue } from "./host-queue.ts";
import { LocalSocket } from "./local-socket.ts";

/** The two ways by which this host is told what to do. The last room: what it commands is there before it. */
export const COMMANDS_ROOM: Feature = {
  name: "commands",
  stopsFirst: true,
  assemble({ options, log, commands: work }) {
    const { stateDir, url, token, ecosystem, hostId } = options;
    const socket = new LocalSocket({
      stateDir,
      work,
      log,
      ...(options.stopMs !== undefined && { answerMs: options.stopMs }),
    });
    return { services: [socket, new HostQueue({ url, token, ecosystem, hostId, work, log })] };
  },
};
