import * as z from "zod";
import type { ContextRequest, RetrievedFindings } from "../../core/intelligence/context.ts";

/** What a retrieval service answers. */
const Answer = z.object({
  texts: z.array(z.string().trim().min(1).max(8_192)).max(100),
  confidence: z.number().min(0).max(1),
});

const TIMEOUT_MS = 2_000;
const MAX_BYTES = 1024 * 1024;

/**
 * The third source: a service that is sent the request for a context as JSON (`POST`), and answers `{texts, confidence}`.
 *
 * @param url - may hold a key, so it is in no error
 */
export function retrievalService(
  url: string,
  send: typeof fetch = fetch,
): (request: ContextRequest) => Promise<RetrievedFindings> {
  return async (request) => {
    const response = await send(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // An answer is wanted of the service that was named, and of no other.
      redirect: "error",
    }).catch((error: unknown) => {
      const late = error instanceof Error && error.name === "TimeoutError";
      throw new Error(late ? `it did not answer within ${TIMEOUT_MS} ms` : "it cannot be reached");
    });
    const text = await boundedText(response);
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const read = Answer.safeParse(parseJson(text));
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    throw new Error(`its answer is not {texts, confidence}: /${issue?.path.join("/") ?? ""}: ${issue?.message ?? ""}`);
  };
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`its answer is longer than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("its answer is not JSON");
  }
}
