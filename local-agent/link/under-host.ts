import * as z from "zod";
import { letterIdUnder } from "../store/letter-id.ts";

const Waiting = z.looseObject({ id: z.string(), host: z.string(), error: z.string() });

/**
 * A dead letter as the host `host` may send it: the edge takes from a host only those whose ids begin with its name.
 * One that was written under another name of this host gets the present one before its id, and its error names the other.
 *
 * @param body - the dead letter as JSON
 */
export function underHost(body: string, host: string): string {
  const deadLetter = Waiting.parse(JSON.parse(body));
  const id = letterIdUnder(host, deadLetter.id);
  if (id === deadLetter.id) return body;
  const error = `${deadLetter.error} (from the time when this host was named ${deadLetter.host})`;
  return JSON.stringify({ ...deadLetter, id, host, error });
}
