import { PING, PONG } from "../../core/wire/link-frames.ts";

/** An object to which nothing but pings has come for so long, or up to twice as long, is quiet. */
const QUIET_MS = 1_000;

/**
 * Decides who answers the pings of an object's sockets: the runtime while the object is quiet, so that a ping does not wake
 * an object that sleeps, and otherwise the object itself.
 *
 * The runtime's own answer has a flaw: a peer that is gone when the answer is written leaves the socket open for good, no
 * close is told, and whatever is sent to it afterwards stays in memory. A peer that pings between other frames and then
 * dies, as one that is killed at work does, hits that moment one time in five; one that pings a quiet object hits it only
 * where it dies within the time of one answer. Where the object answers, the close arrives as always.
 */
export class PingAnswers {
  readonly #ctx: Pick<DurableObjectState, "setWebSocketAutoResponse">;
  readonly #quiet: () => void;
  /** Something has come since the object was looked at last. */
  #heard = false;
  #busy = false;

  /** @param quiet - the object may sleep soon: what was noted of pings is to outlive that */
  constructor(ctx: Pick<DurableObjectState, "setWebSocketAutoResponse">, quiet: () => void = () => undefined) {
    this.#ctx = ctx;
    this.#quiet = quiet;
    this.#leaveToRuntime();
  }

  /**
   * A frame has come. Pings alone keep no object awake: it becomes quiet between them, and the runtime answers the next one.
   *
   * @returns whether the frame was a ping, which is answered now
   */
  answers(socket: WebSocket, message: string | ArrayBuffer): boolean {
    if (message !== PING) {
      this.busy();
      return false;
    }
    try {
      socket.send(PONG);
    } catch {
      // The peer left between two events; its close comes next.
    }
    return true;
  }

  /** Something else than a ping has come, such as a request for a socket. Reads no clock, because each frame comes by here. */
  busy(): void {
    this.#heard = true;
    if (this.#busy) return;
    this.#busy = true;
    this.#ctx.setWebSocketAutoResponse();
    this.#look();
  }

  /** One timer at a time, however many frames come. It keeps the object from sleeping, and ends before the object would. */
  #look(): void {
    this.#heard = false;
    setTimeout(() => {
      if (this.#heard) return this.#look();
      this.#busy = false;
      this.#leaveToRuntime();
      this.#quiet();
    }, QUIET_MS);
  }

  #leaveToRuntime(): void {
    this.#ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }
}
