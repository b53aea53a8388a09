/**
 * Bytes that were sent to readers and not acknowledged. The runtime's sockets know no backpressure: what a reader does
 * not take stays in the memory of the isolate, which all its objects share. So it is counted for each socket, for each
 * token and for the isolate.
 */
export const IN_FLIGHT = {
  socketBytes: 4 * 1024 * 1024,
  tokenBytes: 16 * 1024 * 1024,
  isolateBytes: 32 * 1024 * 1024,
  /** Only a socket with nothing in flight is still sent a frame, up to this much in the isolate. */
  isolateMostBytes: 48 * 1024 * 1024,
  /** Largest frame of signals; a single signal may be as large as a signal may be. */
  frameBytes: 256 * 1024,
  /** What a socket with nothing in flight may be sent although the others have taken their share. */
  leastBytes: 64 * 1024,
} as const;

/** A share of what is left, so that a few readers who do not read leave something for each that comes after them. */
const SHARE = 4;

/** What one socket has in flight. */
export interface InFlightAccount {
  /** How many bytes may be sent now; 0: none. One frame may exceed it by one signal. */
  readonly room: number;
  readonly bytes: number;
  /** Sets how many bytes are in flight now. */
  set(bytes: number): void;
  /** The socket is gone, and its bytes with it. */
  close(): void;
}

/** The bytes in flight of all sockets of an isolate. */
export class InFlight {
  readonly #tokens = new Map<string, number>();
  /** Accounts of each object: an object that is woken again opens new ones. */
  readonly #owners = new Map<string, Set<InFlightAccount>>();
  #total = 0;

  get bytes(): number {
    return this.#total;
  }

  /** @param token - id of the token that opened the socket */
  bytesOf(token: string): number {
    return this.#tokens.get(token) ?? 0;
  }

  /** Closes the accounts that an earlier life of the object left open. */
  forget(owner: string): void {
    for (const account of this.#owners.get(owner) ?? []) account.close();
    this.#owners.delete(owner);
  }

  open(owner: string, token: string): InFlightAccount {
    const accounts = this.#owners.get(owner) ?? new Set();
    this.#owners.set(owner, accounts);
    let held = 0;
    const ledger = this;
    const account: InFlightAccount = {
      get bytes() {
        return held;
      },
      get room() {
        return ledger.#room(held, token);
      },
      set(bytes) {
        if (!accounts.has(account)) return;
        ledger.#add(token, bytes - held);
        held = bytes;
      },
      close() {
        account.set(0);
        accounts.delete(account);
      },
    };
    accounts.add(account);
    return account;
  }

  #room(held: number, token: string): number {
    const left = Math.min(IN_FLIGHT.tokenBytes - this.bytesOf(token), IN_FLIGHT.isolateBytes - this.#total);
    const room = Math.min(IN_FLIGHT.socketBytes - held, Math.floor(left / SHARE));
    // Less than that would be a frame for each signal, and an acknowledgement for each frame.
    if (room >= IN_FLIGHT.leastBytes) return room;
    return held > 0 || this.#total >= IN_FLIGHT.isolateMostBytes ? 0 : IN_FLIGHT.leastBytes;
  }

  #add(token: string, bytes: number): void {
    this.#total += bytes;
    const left = this.bytesOf(token) + bytes;
    if (left > 0) this.#tokens.set(token, left);
    else this.#tokens.delete(token);
  }
}
