/** Methods that the runtime calls itself, and the mark that its types put on an object's class: no calls of others. */
type Lifecycle =
  | "alarm"
  | "fetch"
  | "webSocketMessage"
  | "webSocketClose"
  | "webSocketError"
  | typeof Rpc.__DURABLE_OBJECT_BRAND;

/**
 * The calls of an object's class as another object or the Worker makes them: the same methods, each with a promise of
 * its answer. Derived from the class, so that a caller of a changed method does not compile.
 *
 * The runtime's own `DurableObjectStub<Class>` cannot stand here: its types refuse answers that hold `unknown`.
 */
export type CallsOf<Class> = {
  [Name in keyof Class as Name extends Lifecycle
    ? never
    : Class[Name] extends (...args: never[]) => unknown
      ? Name
      : never]: Class[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};

/** A binding to the objects of one class, and the calls that its user makes. */
export interface Namespace<Calls> {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId): Calls & DurableObjectStub;
}

/** The object of that name; the runtime makes an object on its first call. */
export function objectNamed<Calls>(namespace: Namespace<Calls>, name: string): Calls & DurableObjectStub {
  return namespace.get(namespace.idFromName(name));
}
