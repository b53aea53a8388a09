import type { Context, MiddlewareHandler, Next } from "hono";
import { isLoopback } from "../../../core/access/allowed-hosts.ts";
import type { ApiEnv } from "./api-env.ts";

/** Answers below this many characters are sent as they are: packed they take as many packets. */
const MIN_CHARS = 1_400;
/** What is packed: bounded texts. Streams go out as they come. */
const PACKED = /^(application\/([a-z.-]+\+)?json|text\/(html|css|javascript))\b/;

/**
 * Packs large answers to reads, for callers that take gzip. Cloudflare does so by itself, and between two programs of one
 * machine it costs more than it saves: so it is done for an edge on one machine that is called from another.
 */
export const compressed: MiddlewareHandler<ApiEnv> = (c, next) => {
  const packs = c.req.method === "GET" && c.env.ALLOWED_HOSTS !== undefined && !isLoopback(c.req.header("host") ?? "");
  return packs ? answerPacked(c, next) : next();
};

async function answerPacked(c: Context<ApiEnv>, next: Next): Promise<void> {
  await next();
  const { res } = c;
  if (res.status !== 200 || res.headers.has("content-encoding")) return;
  if (!PACKED.test(res.headers.get("content-type") ?? "")) return;
  res.headers.append("Vary", "Accept-Encoding");
  if (!takesGzip(c.req.header("accept-encoding"))) return;
  const text = await res.text();
  // The runtime packs the body of an answer that says so.
  const packed = text.length < MIN_CHARS ? {} : { "Content-Encoding": "gzip" };
  c.res = undefined;
  c.res = new Response(text, { headers: { ...Object.fromEntries(res.headers), ...packed } });
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#name-accept-encoding */
function takesGzip(header: string | undefined): boolean {
  const weights = new Map(
    (header ?? "")
      .toLowerCase()
      .split(",")
      .map((coding) => {
        const [name = "", ...parameters] = coding.split(";").map((part) => part.trim());
        const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
        return [name, Number(weight)] as const;
      }),
  );
  return (weights.get("gzip") ?? weights.get("*") ?? 0) > 0;
}
