import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly response_format: { readonly json_schema: { readonly schema: unknown } };
  };
}

export interface FakeModel {
  /** Where it takes chat completions. */
  readonly url: string;
  readonly asked: Asked[];
}

/** A server that speaks the API of chat completions, and answers as a test says. */
export async function startModel(answer: (asked: Asked, response: ServerResponse) => void): Promise<FakeModel> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { authorization } = request.headers;
    const one = { path: request.url ?? "", authorization, body: JSON.parse(Buffer.concat(chunks).toString() || "{}") };
    asked.push(one);
    answer(one, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`, asked };
}

/** Answers with a completion that holds `content`. */
export function complete(
  response: ServerResponse,
  content: string,
  usage = { prompt_tokens: 100, completion_tokens: 20 },
) {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content } }], usage }));
}
