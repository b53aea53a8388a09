import type * as z from "zod";
import { createClient } from "../../src/client/client.ts";
import type { ReserveAnswer, ReserveRequest, SettleAnswer, SettleRequest } from "../../src/core/limits/api.ts";
import { wireOf } from "../../src/core/limits/host/records.ts";
import type { HostSettings } from "../feature/feature.ts";

type Reserve = z.input<typeof ReserveRequest>;
export type ReserveAtEdge = (limit: string, request: Reserve, signal?: AbortSignal) => Promise<ReserveAnswer>;
export type SettleAtEdge = (limit: string, request: SettleRequest) => Promise<SettleAnswer>;

/** The two calls to the edge, each with the present token. */
export function limitEdge({ url, token, ecosystem }: Pick<HostSettings, "url" | "token" | "ecosystem">): {
  readonly reserve: ReserveAtEdge;
  readonly settle: SettleAtEdge;
} {
  const limits = () =>
    createClient({ url, token: token(), ecosystem, retry: { retries: 0 }, localAgent: false }).limits;
  return {
    reserve: async (limit, request, signal) => limits().reserve(limit, request, signal),
    settle: async (limit, request) => limits().settle(limit, wireOf(request)),
  };
}
