import type { Grant } from "../../../core/access/grant.ts";
import { JSON_LIMITS } from "../../../core/json/limits.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { admitSignal } from "../../../core/signals/admit.ts";
import type { NewSignal } from "../../../core/signals/signal.ts";
import { parseJson, readBody } from "../http/body.ts";
import { invalid } from "../http/refusal.ts";
import { foreignFields, foreignSignal } from "./body.ts";
import { withTraceOf } from "./trace-context.ts";

/** What the path and the query of a request say about the signal whose facts are the request's body. */
export interface SignalAround {
  readonly signal: string;
  readonly source?: string | undefined;
  readonly id?: string | undefined;
  readonly cause?: string | undefined;
  readonly timestamp?: string | undefined;
}

/**
 * Reads a request whose whole body is the facts of one signal, so that a program that sends JSON of its own needs no other
 * program to wrap it. What is wrong is pointed at where the caller gave it: in the path, the query or the body.
 */
export async function readSignalOfFacts(request: Request, around: SignalAround, grant: Grant): Promise<NewSignal> {
  const naming = { kind: "invalid-signal", title: "The signal is not valid" };
  const facts = parseJson((await readBody(request, ["application/json"])).text, naming, JSON_LIMITS);
  if (typeof facts !== "object" || facts === null || Array.isArray(facts)) {
    const message = "the body becomes the signal's facts: send a JSON object";
    throw invalid("invalid-signal", "The signal is not valid", [{ pointer: "", message }]);
  }
  const { signal, source, ...optional } = around;
  if (source === undefined) {
    const message = "name the host or program that sends the signal: ?source=";
    throw invalid("invalid-query", "The request is not valid", [{ pointer: "/query/source", message }]);
  }
  const given = Object.entries(optional).filter(([, value]) => value !== undefined);
  const admission = admitSignal({ signal, source, facts, ...Object.fromEntries(given) });
  if (!admission.ok) throw invalid("invalid-signal", "The signal is not valid", admission.errors.map(asSent));
  const foreign = foreignFields(admission.signal, grant, "");
  if (foreign.length > 0) throw foreignSignal(foreign.map(asSent));
  return withTraceOf(request, [admission.signal], [facts])[0] ?? admission.signal;
}

/** The error with a pointer to where the caller gave the field. */
function asSent({ pointer, message }: FieldError): FieldError {
  if (pointer === "/signal") return { pointer: "/path/id", message };
  const inFacts = /^\/facts(.*)$/s.exec(pointer);
  return { pointer: inFacts === null ? `/query${pointer}` : (inFacts[1] ?? ""), message };
}
