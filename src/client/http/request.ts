import type * as z from "zod";
import { type Call, type Connection, exchange } from "./exchange.ts";
import { loosened } from "./loosened.ts";
import { UnreadableAnswer } from "./problem-errors.ts";

/** Makes a call, and reads the answer by its schema. */
export type CallEdge = <Schema extends z.ZodType>(answer: Schema, call: Call) => Promise<z.output<Schema>>;

/**
 * One call, one answer.
 *
 * @param answer - schema of the answer; fields that it does not name are passed on, because the edge may be newer
 * @throws ApiProblem for a refusal, EdgeUnreachable when no edge answers, UnreadableAnswer for an answer of another
 * shape, the reason of `signal` when it is aborted
 */
export async function request<Schema extends z.ZodType>(
  connection: Connection,
  answer: Schema,
  call: Call,
): Promise<z.output<Schema>> {
  const read = loosened(answer).safeParse(await exchange(connection, call));
  if (!read.success) throw new UnreadableAnswer(connection.url, `${call.method ?? "GET"} ${call.path}`, read.error);
  return read.data;
}
