import { identifierOf } from "../cloudevents/names.ts";
import { isJsonObject } from "../json/is-json-object.ts";
import { compileExpression, type Expression, ExpressionError } from "../policy/expression.ts";
import { WorkExceeded } from "../policy/work-budget.ts";
import type { FieldError } from "../problem/field-error.ts";
import { type Admission, admitSignal } from "../signals/admit.ts";
import { reservedFields } from "../signals/reserved.ts";
import type { InboxSourceInput, RequestMap, SourceAtDoor } from "./source.ts";

/** A request whose sender is known. */
export interface VerifiedRequest {
  /** Names in lower case, without those that hold secrets. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: unknown;
}

/** `ignored`: the source's map has no signal for such a request. */
export type MappedRequest = Admission | "ignored";

const FIELDS = ["signal", "id", "cause", "timestamp"] as const;
/** Headers that no expression reads. */
const SECRET_HEADERS = /^(authorization|cookie|webhook-signature|x-hub-signature.*|cf-.*|proxy-.*)$/;

/** @param own - the header in which the source proves who it is */
export const withoutSecrets = (headers: Iterable<readonly [string, string]>, own?: string): Map<string, string> =>
  new Map([...headers].filter(([name]) => !SECRET_HEADERS.test(name) && name !== own?.toLowerCase()));

const compile = (expression: string, condition = false): Expression =>
  compileExpression(expression, condition ? "condition" : "any", { names: "request" });

/** What of the expressions of a source cannot be compiled, by JSON pointers into the source. */
export function mapErrors({ map = {} }: Pick<InboxSourceInput, "map">): FieldError[] {
  const { facts = {}, ...fields } = map;
  const named = [
    ...Object.entries(fields).map(([name, source]) => [`/map/${name}`, source] as const),
    ...Object.entries(facts).map(
      ([name, source]) => [`/map/facts/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, source] as const,
    ),
  ];
  return named.flatMap(([pointer, source]) => {
    if (source === undefined) return [];
    try {
      compile(source, pointer === "/map/where");
      return [];
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return [{ pointer, message: error.message }];
    }
  });
}

/** The id that the sender gave a delivery, the same each time the delivery is repeated. */
function deliveryId({ headers }: Pick<VerifiedRequest, "headers">, kind: SourceAtDoor["kind"]): string | undefined {
  const id = headers.get(kind === "github" ? "x-github-delivery" : "webhook-id");
  return id === undefined || id === "" ? undefined : id;
}

/** The signal that a request becomes. Errors point into the map, or, where there is none, into the body. */
export function mapRequest(
  source: SourceAtDoor,
  request: VerifiedRequest,
  ecosystem: string,
  nowMs: number,
): MappedRequest {
  const { map = {}, name, kind } = source;
  const given = deliveryId(request, kind);
  const origin = source.source ?? `inbox/${name}`;
  const scope = {
    signal: source.signal,
    id: given ?? "",
    source: origin,
    facts: isJsonObject(request.body) ? { ...request.body } : {},
    ecosystem,
    now: new Date(nowMs),
    state: {},
    body: request.body,
    headers: Object.fromEntries(request.headers),
  };
  const errors: FieldError[] = [];
  const value = (pointer: string, expression: string): unknown => {
    try {
      return compile(expression, pointer === "/map/where")(scope);
    } catch (error) {
      if (!(error instanceof ExpressionError || error instanceof WorkExceeded)) throw error;
      errors.push({ pointer, message: error.message });
      return undefined;
    }
  };
  if (map.where !== undefined && value("/map/where", map.where) === false) return "ignored";
  const fields: Partial<Record<(typeof FIELDS)[number], unknown>> = {};
  for (const field of FIELDS) {
    const expression = map[field];
    const found = expression === undefined ? undefined : value(`/map/${field}`, expression);
    if (found !== undefined && found !== null && found !== "") fields[field] = found;
  }
  const facts = factsOf(map, request.body, value);
  if (errors.length > 0) return { ok: false, errors };
  const id = fields.id ?? given;
  const admission = admitSignal({
    signal: fields.signal ?? source.signal,
    source: origin,
    facts,
    ...(fields.timestamp === undefined ? {} : { timestamp: fields.timestamp }),
    ...(fields.cause === undefined ? {} : { cause: identified(fields.cause) }),
    ...(id === undefined ? {} : { id: identified(id) }),
  });
  const at = ({ pointer, message }: FieldError): FieldError => ({ pointer: `/map${pointer}`, message });
  if (!admission.ok) return { ok: false, errors: admission.errors.map(at) };
  const reserved = reservedFields(admission.signal, false, "");
  return reserved.length > 0 ? { ok: false, errors: reserved.map(at) } : admission;
}

const identified = (id: unknown): unknown => (typeof id === "string" ? (identifierOf(id) ?? id) : id);

function factsOf(map: RequestMap, body: unknown, value: (pointer: string, expression: string) => unknown): unknown {
  if (map.facts === undefined) return isJsonObject(body) ? body : { data: body };
  return Object.fromEntries(
    Object.entries(map.facts).map(([name, expression]) => [name, value(`/map/facts/${name}`, expression) ?? null]),
  );
}
