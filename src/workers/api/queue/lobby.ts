import type { Caller } from "../../../core/access/grant.ts";
import { type LobbyRole, QUEUE_BEGAN } from "../../../core/queue/lobby.ts";
import type { Environment } from "../../bindings/environment.ts";
import { queueLobby } from "../../bindings/objects.ts";
import { withToken } from "../http/upgrade.ts";

/** Before the lobby is asked again, where the connection to it was lost. */
const RETRY_MS = 1_000;
const POLICY_VIOLATION = 1_008;

/** How a wait ended: the queue exists, the token was deleted or has expired, or the time is over. */
export type LobbyOutcome = "began" | "token_over" | "left";

export interface LobbyWait {
  readonly ended: Promise<LobbyOutcome>;
  /** Ends the wait, where it has not ended. */
  readonly leave: () => void;
}

export interface LobbyVisit {
  readonly env: Environment;
  readonly ecosystem: string;
  readonly queue: string;
  readonly grant: Pick<Caller, "id" | "expires_at" | "session">;
}

/**
 * Waits for a queue to begin, in the lobby of the ecosystem.
 *
 * @param forMs - the longest wait; `undefined`: until somebody leaves
 */
export function waitInLobby(visit: LobbyVisit, role: LobbyRole, forMs?: number): LobbyWait {
  const { promise: ended, resolve } = Promise.withResolvers<LobbyOutcome>();
  let socket: WebSocket | undefined;
  let over = false;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const timer = forMs === undefined ? undefined : setTimeout(() => end("left"), forMs);
  const end = (outcome: LobbyOutcome) => {
    if (over) return;
    over = true;
    if (timer !== undefined) clearTimeout(timer);
    if (retry !== undefined) clearTimeout(retry);
    resolve(outcome);
    socket?.close(1000);
  };
  const again = () => {
    if (!over) retry = setTimeout(enter, RETRY_MS);
  };
  const enter = () => {
    open(visit, role).then((opened) => {
      socket = opened;
      if (over) opened.close(1000);
      opened.addEventListener("close", ({ code }) => {
        if (code === QUEUE_BEGAN) end("began");
        else if (code === POLICY_VIOLATION) end("token_over");
        else again();
      });
    }, again);
  };
  enter();
  return { ended, leave: () => end("left") };
}

async function open({ env, ecosystem, queue, grant }: LobbyVisit, role: LobbyRole): Promise<WebSocket> {
  // The names that a token is bound to are the queue's business.
  const { id, expires_at, session } = grant;
  const query = withToken(new URLSearchParams({ queue, role }), { id, expires_at, ...(session && { session }) });
  const headers = { Upgrade: "websocket" };
  const { webSocket } = await queueLobby(env, ecosystem).fetch(`https://lobby/?${query}`, { headers });
  if (webSocket === null) throw new Error("the lobby opened no socket");
  webSocket.accept();
  return webSocket;
}
