import type { Call } from "../../src/client/http/exchange.ts";
import { urlOf } from "../../src/client/http/exchange.ts";
import { openEventSource } from "../../src/client/stream/event-source.ts";
import type { SignalSource } from "../../src/client/stream/signal-source.ts";

/** Opens the log's stream by the browser's cookie. */
export const openSessionStream = (
  path: string,
  query: NonNullable<Call["query"]>,
  signal: AbortSignal | undefined,
): Promise<SignalSource> => openEventSource(urlOf(location.origin, path, query), null, signal);
