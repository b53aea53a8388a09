import { type PlacementVariables, readPlacement } from "../../core/deployment/placement.ts";

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
  get(id: DurableObjectId, options?: DurableObjectNamespaceGetDurableObjectOptions): Calls & DurableObjectStub;
  jurisdiction(jurisdiction: DurableObjectJurisdiction): Namespace<Calls>;
}

/**
 * The object of that name; the runtime makes an object on its first call, and never moves it. Every object is found here,
 * so that all of a deployment are where its variables say.
 *
 * @param placed - the variables; without them ids are as they have always been, and Cloudflare chooses the place
 */
export function objectNamed<Calls>(
  namespace: Namespace<Calls>,
  name: string,
  placed: PlacementVariables,
): Calls & DurableObjectStub {
  const { locationHint, jurisdiction } = readPlacement(placed);
  const within = jurisdiction === undefined ? namespace : namespace.jurisdiction(jurisdiction);
  const id = within.idFromName(name);
  return locationHint === undefined ? within.get(id) : within.get(id, { locationHint });
}
