/** A call that has no reply yet, of a sender that may itself do tasks. */
export interface WaitingCall {
  readonly taskId: string;
  readonly sender: string;
  readonly recipient: string;
  readonly createdMs: number;
}

/** What is known of those who do the tasks of a recipient. */
export interface Agents {
  /** Tasks of the recipient that its workers hold. */
  held(recipient: string): number;
  /** Whether one of its workers can take one more task. */
  hasRoom(recipient: string): boolean;
}

export interface Deadlock {
  /** Names of the agents: each waits for the next one, and the last for the first. */
  readonly cycle: readonly string[];
  readonly oldest: WaitingCall;
}

/** A cycle that exists for a moment, because an answer is on its way, is none. */
const WAIT_MS = 10_000;

/**
 * Agents that wait for each other's calls, so that none of them goes on: each holds as many tasks as it may, and has as many
 * calls open, to others of whom the same is true. An agent that could take one more task, or works on one that waits for no
 * call, ends its wait by itself.
 */
export function findDeadlock(calls: Iterable<WaitingCall>, agents: Agents, nowMs: number): Deadlock | undefined {
  const bySender = Map.groupBy(
    [...calls].filter(({ createdMs }) => nowMs - createdMs >= WAIT_MS),
    ({ sender }) => sender,
  );
  const stuck = new Set([...bySender.keys()].filter((name) => agents.held(name) > 0 && !agents.hasRoom(name)));
  const toStuck = (name: string) => (bySender.get(name) ?? []).filter(({ recipient }) => stuck.has(recipient));
  // Who can go on answers in the end, so those who wait for one of them can go on too.
  for (let isStable = false; !isStable; ) {
    isStable = true;
    for (const name of stuck) {
      if (toStuck(name).length >= agents.held(name)) continue;
      stuck.delete(name);
      isStable = false;
    }
  }
  const path: WaitingCall[] = [];
  for (let [name] = stuck; name !== undefined; ) {
    const from = path.findIndex(({ sender }) => sender === name);
    if (from >= 0) {
      const cycle = path.slice(from);
      return { cycle: cycle.map(({ sender }) => sender), oldest: oldestOf(cycle) };
    }
    const call = oldestOf(toStuck(name));
    path.push(call);
    name = call.recipient;
  }
  return undefined;
}

const oldestOf = (calls: readonly WaitingCall[]): WaitingCall =>
  calls.reduce((oldest, call) => (call.createdMs < oldest.createdMs ? call : oldest));

/** The open calls of a queue that name their sender, and when they are looked through. */
export class OpenCalls {
  readonly #calls = new Map<string, WaitingCall>();
  #dueMs: number | undefined;

  /** @param isNested - whether the sender does a task, for which it may need the answer */
  add({ taskId, sender, recipient, createdMs }: WaitingCall, isNested: boolean): void {
    this.#calls.set(taskId, { taskId, sender, recipient, createdMs });
    if (isNested) this.#dueMs ??= createdMs + WAIT_MS;
  }

  delete(taskId: string): void {
    if (this.#calls.delete(taskId) && this.#calls.size === 0) this.#dueMs = undefined;
  }

  /** When {@link findDue} has to look; `undefined`: no agent waits for another. */
  get dueMs(): number | undefined {
    return this.#dueMs;
  }

  findDue(agents: Agents, nowMs: number): Deadlock | undefined {
    if (this.#dueMs === undefined || nowMs < this.#dueMs) return undefined;
    const found = findDeadlock(this.#calls.values(), agents, nowMs);
    const isNested = () => [...this.#calls.values()].some(({ sender }) => agents.held(sender) > 0);
    // One that was broken may have been one of several.
    if (found !== undefined) this.#dueMs = nowMs + 1;
    else this.#dueMs = isNested() ? nowMs + WAIT_MS : undefined;
    return found;
  }
}

/** Of the call that was ended, for its caller and for people. */
export function deadlockText({ cycle, oldest }: Deadlock, nowMs: number): string {
  const seconds = Math.round((nowMs - oldest.createdMs) / 1_000);
  return (
    `deadlock: ${[...cycle, cycle[0]].join(" → ")} wait for each other's calls, and this one, of ${oldest.sender}, is the ` +
    `oldest (${seconds} s). Give the workers room for one more task, or answer calls by a worker of their own`
  );
}
