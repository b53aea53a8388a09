import { WebSocket } from "ws";
import { messagesOf, type Unsendable } from "../../core/queue/frame-messages.ts";
import { readQueueMessage } from "../../core/queue/read-queue-message.ts";
import { type OutgoingWorkerFrame, type QueueFrame, WORK_PROTOCOL } from "../../core/queue/work-frames.ts";
import type { ApiProblem } from "../http/problem-errors.ts";
import { openWebSocket } from "../http/web-socket.ts";

/** Options of a channel, over a WebSocket or over HTTP. */
export interface WorkChannelOptions {
  readonly url: string;
  readonly token: string;
  readonly ecosystem: string;
  readonly queue: string;
  /** Name of the worker, for people; default: that of the token. */
  readonly worker?: string | undefined;
  readonly onFrame: (frame: QueueFrame) => void;
  /** Called with a frame that can never be sent, because it is too large or no JSON. It was not sent, its neighbours were. */
  readonly onUnsendable: (unsendable: Unsendable) => void;
  /** Called once when an open channel is lost, with the refusal where the queue refused what the channel is for. */
  readonly onClose: (refusal?: ApiProblem) => void;
}

/** One connection to a queue. It does not reconnect: its opener knows which frames have to be sent again. */
export interface WorkChannel {
  /** Frames of one turn go out as one message, or as several where the queue would not take them in one. */
  send(frame: OutgoingWorkerFrame): void;
  /** Resolves when no more tasks can arrive, after `ready` with `credit: 0`. */
  drained(): Promise<void>;
  /** Closes the channel. The queue releases at once the tasks that this end holds. */
  close(): void;
}

/** @throws ApiProblem for a refusal, EdgeUnreachable where no edge answers */
export async function openWorkChannel(options: WorkChannelOptions): Promise<WorkChannel> {
  const { url, token, ecosystem, queue, worker, onFrame, onClose } = options;
  const socket = await openWebSocket({
    url,
    token,
    path: `/v1/${encodeURIComponent(ecosystem)}/queues/${encodeURIComponent(queue)}/work`,
    query: worker === undefined ? {} : { worker },
    protocol: WORK_PROTOCOL,
    onMessage: (text) => readQueueMessage(text).forEach(onFrame),
    onClose: () => onClose(),
  });
  return channelOver(socket, options.onUnsendable);
}

function channelOver(socket: WebSocket, onUnsendable: WorkChannelOptions["onUnsendable"]): WorkChannel {
  let frames: OutgoingWorkerFrame[] = [];
  const flush = () => {
    const turn = frames;
    frames = [];
    // After the connection was lost frames are dropped. What matters is sent again over the next one.
    if (socket.readyState !== WebSocket.OPEN) return;
    const { messages, unsendable } = messagesOf(turn);
    for (const message of messages) socket.send(message);
    unsendable.forEach(onUnsendable);
  };
  return {
    send: (frame) => {
      if (frames.push(frame) === 1) setImmediate(flush);
    },
    // Tasks that arrive later are released by their receiver.
    drained: () => Promise.resolve(),
    close: () => {
      flush();
      socket.close(1000);
    },
  };
}
