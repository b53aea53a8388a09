import type { NewTask } from "../queue/task.ts";
import { MAIL_QUEUE } from "./api.ts";

/** A host that is away for longer starts nobody any more; its agent asks for its messages when it runs. */
const WAKE_WITHIN_MS = 86_400_000;

/** Of a supervised process, as its host reports it. */
interface Waking {
  readonly state: string;
  readonly wakes_on_mail?: boolean | undefined;
}

/** An agent that a message starts, and that runs, as far as its host has reported. */
export const isUp = ({ state }: Pick<Waking, "state">): boolean => state === "up" || state === "starting";

/** An agent that a message starts, and that does not run. */
export const isAsleep = ({ wakes_on_mail, state }: Waking): boolean => wakes_on_mail === true && !isUp({ state });

/** Starts an agent. The command has the id of the message, so that a message that is sent again starts nobody twice. */
export const wakeCommand = (host: string, agent: string, message: string): NewTask => ({
  taskId: `${MAIL_QUEUE}/${host}/${message}`.slice(0, 256),
  recipient: host,
  type: "supervisor.wake",
  payloadJson: JSON.stringify({ names: [agent] }),
  sender: `ganglion/${MAIL_QUEUE}`,
  priority: 5,
  delayMs: 0,
  maxAttempts: 2,
  timeoutMs: null,
  deadlineMs: WAKE_WITHIN_MS,
  caller: null,
  cause: null,
});
