import { CODEX } from "./codex.ts";
import { type Attributes, textOf } from "./otlp/attributes.ts";
import { MAX_NAME, type SessionRecord } from "./record.ts";

/** A name as sources and reporters have it. */
export const plainName = (name: string): string => name.replace(/[^A-Za-z0-9_.-]/g, "-");

/** The program of a resource, by the name that its SDK gives it. */
export function programOf(resource: Attributes): string {
  const name = plainName(textOf(resource, "service.name", MAX_NAME) ?? "otlp");
  return /^codex/i.test(name) ? CODEX : name;
}

/** What somebody set by `OTEL_RESOURCE_ATTRIBUTES`: in whose name the signals are, and the task that is worked on. */
export function setAround(resource: Attributes, attributes: Attributes): Pick<SessionRecord, "source" | "task"> {
  const set = (key: string) => textOf(attributes, key) ?? textOf(resource, key);
  return { source: set("ganglion.source"), task: set("ganglion.task") };
}
