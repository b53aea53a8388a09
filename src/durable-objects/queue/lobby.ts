import type { PlacementVariables } from "../../core/deployment/placement.ts";
import { LOBBY_ROLES, type LobbyRole, QUEUE_BEGAN } from "../../core/queue/lobby.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import type { Schema } from "../shell/schema.ts";
import { closeEnded, isUpgrade, tokenOfQuery, upgradeRequired } from "../shell/sockets.ts";

/** Bindings that the lobby uses. */
export interface LobbyBindings extends PlacementVariables {
  readonly DIRECTORY: Namespace<{ hasQueue(ecosystem: string, name: string): Promise<boolean> }>;
  readonly PRIORITY_QUEUE: Namespace<{ begin(): Promise<void> }>;
}

/**
 * Where workers and callers wait for queues of an ecosystem that do not exist yet: one object for all of their names. The
 * object of a queue would have a database as soon as somebody called it, for each name that somebody mistypes.
 *
 * A queue begins with its first task, with settings, or when a worker and a caller wait for it: two do not mistype a name
 * alike. Nothing is stored here: the sockets say who waits, and each belongs to the token that opened it.
 */
export class QueueLobby extends EcosystemObject<LobbyBindings> {
  static override readonly schema: Schema = { of: "QueueLobby", steps: [] };

  /** WebSocket upgrades: `?queue=&role=`. The socket is closed with {@link QUEUE_BEGAN} when the queue begins. */
  override async fetch(request: Request): Promise<Response> {
    if (!isUpgrade(request)) return upgradeRequired();
    const { searchParams } = new URL(request.url);
    const queue = searchParams.get("queue") ?? "";
    const role = LOBBY_ROLES.find((each) => each === searchParams.get("role")) ?? "reader";
    const { server, answer } = this.tagged.accept(searchParams, tagOf(role, queue));
    if (this.tagged.isOver(tokenOfQuery(searchParams))) closeEnded(server);
    // The socket is here before the directory is asked: a queue that begins meanwhile finds it.
    else if (await objectNamed(this.env.DIRECTORY, "directory", this.env).hasQueue(this.ecosystem, queue))
      server.close(QUEUE_BEGAN);
    else await this.#beginIfMet(queue);
    return answer();
  }

  /** How many wait for a queue in a role. */
  waiting(queue: string, role: LobbyRole): number {
    return this.#of(queue, role).length;
  }

  /** A call comes from within the edge: begins the queue where workers wait for it. @returns whether any did */
  async beginForWorkers(queue: string): Promise<boolean> {
    if (this.#of(queue, "worker").length === 0) return false;
    await this.#begin(queue);
    return true;
  }

  /** Somebody asks the queue for work and does not wait: enough for the callers who wait. */
  async offerWork(queue: string): Promise<void> {
    if (this.#of(queue, "caller").length > 0) await this.#begin(queue);
  }

  /** The queue has begun: everybody who waits may go to it. */
  queueBegan(queue: string): void {
    for (const role of LOBBY_ROLES) for (const socket of this.#of(queue, role)) socket.close(QUEUE_BEGAN);
  }

  /** Closes the sockets that were opened with a token that is deleted or has expired. */
  closeToken(id: string): void {
    this.tagged.closeToken(id, () => undefined);
  }

  override webSocketMessage(): void {
    // Who waits has nothing to say.
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close(1000);
  }

  async #beginIfMet(queue: string): Promise<void> {
    if (this.#of(queue, "worker").length > 0 && this.#of(queue, "caller").length > 0) await this.#begin(queue);
  }

  /** The queue tells the lobby when the directory knows it. */
  #begin(queue: string): Promise<void> {
    return objectNamed(this.env.PRIORITY_QUEUE, `${this.ecosystem}/${queue}`, this.env).begin();
  }

  #of(queue: string, role: LobbyRole): WebSocket[] {
    return this.tagged.all(tagOf(role, queue)).filter(({ readyState }) => readyState === WebSocket.OPEN);
  }
}

const tagOf = (role: LobbyRole, queue: string) => `${role}:${queue}`;
