/** Notified of each incoming call before the call runs, and of its end. */
export interface CallCounter {
  /** @throws where the call is refused */
  called(name: string): void;
  /** @returns false: the alarm must not run now */
  alarmFired(): boolean;
  /** @returns false: the message must not be read */
  messageCame(socket: unknown): boolean;
  /** A call that was let in is over, with an answer or an error. */
  ended(): void;
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
          return countCall(this, args) ? run(this, method, args, counterOf(this)) : undefined;
        },
      });
    }
  }
}

function run(instance: object, method: Method, args: unknown[], counter: CallCounter): unknown {
  const ended = () => counter.ended();
  let answer: unknown;
  try {
    answer = method.apply(instance, args);
  } catch (error) {
    ended();
    throw error;
  }
  // The caller gets the promise itself, and handles its failure.
  if (answer instanceof Promise) answer.then(ended, ended);
  else ended();
  return answer;
}

function count(
  name: string,
  counterOf: (instance: object) => CallCounter,
): (instance: object, args: readonly unknown[]) => boolean {
  if (name === "alarm") return (instance) => counterOf(instance).alarmFired();
  if (name === "webSocketMessage") return (instance, [socket]) => counterOf(instance).messageCame(socket);
  return (instance) => {
    counterOf(instance).called(name);
    return true;
  };
}
