/** Notified of each incoming call before the call runs, and of its end. */
export interface CallCounter {
  /** @returns the time, in milliseconds since the epoch @throws where the call is refused */
  called(name: string): number;
  /** @returns the time; `undefined`: the alarm must not run now */
  alarmFired(): number | undefined;
  /** @returns the time; `undefined`: the message must not be read */
  messageCame(socket: unknown): number | undefined;
  /** A call that was let in is over, with an answer or an error. */
  ended(nowMs: number): void;
}

type Method = (this: object, ...args: unknown[]) => unknown;

const counted = new WeakSet<object>();
const NOT_BILLED = new Set(["constructor", "webSocketClose", "webSocketError"]);

/**
 * Makes every method of a class count the call before it runs. RPC reaches the methods of a prototype and nothing
 * else, so the methods of the prototypes are exactly the calls of the object: what is not a call of it is a `#private`
 * method or belongs to another class. A class must not call its own public methods: such a call would be counted.
 *
 * @param prototype - of the object's class; wrapped once, with the prototypes between it and `base`
 * @param base - prototype at which wrapping ends: the runtime's own
 * @param counterOf - finds the counter of an instance
 */
export function countCalls(prototype: object, base: object, counterOf: (instance: object) => CallCounter): void {
  for (let level = prototype; level !== base && level !== null; level = Object.getPrototypeOf(level)) {
    if (counted.has(level)) continue;
    counted.add(level);
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (NOT_BILLED.has(name) || typeof property.value !== "function") continue;
      const method: Method = property.value;
      const countCall = count(name, counterOf);
      Object.defineProperty(level, name, {
        ...property,
        value(this: object, ...args: unknown[]) {
          const nowMs = countCall(this, args);
          return nowMs === undefined ? undefined : run(this, method, args, counterOf(this), nowMs);
        },
      });
    }
  }
}

function run(instance: object, method: Method, args: unknown[], counter: CallCounter, nowMs: number): unknown {
  let answer: unknown;
  try {
    answer = method.apply(instance, args);
  } catch (error) {
    counter.ended(nowMs);
    throw error;
  }
  if (answer instanceof Promise) {
    const ended = () => counter.ended(Date.now());
    // The caller gets the promise itself, and handles its failure.
    answer.then(ended, ended);
  } else {
    // The runtime's clock has stood still since the call began, and reading it costs a hundredth of a message.
    counter.ended(nowMs);
  }
  return answer;
}

function count(
  name: string,
  counterOf: (instance: object) => CallCounter,
): (instance: object, args: readonly unknown[]) => number | undefined {
  if (name === "alarm") return (instance) => counterOf(instance).alarmFired();
  if (name === "webSocketMessage") return (instance, [socket]) => counterOf(instance).messageCame(socket);
  return (instance) => counterOf(instance).called(name);
}
