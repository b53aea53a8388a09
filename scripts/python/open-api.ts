import type { OpenApi } from "./operations.ts";

/** Named at run time: under Node's types the Worker's own sources would not compile. */
const APP = "../../src/workers/app.ts";

/** The description of the API, as the Worker's own route gives it. */
export async function readOpenApi(): Promise<OpenApi> {
  const { app } = (await import(APP)) as {
    app: { request(path: string, init: object, env: object): Promise<Response> };
  };
  return (await (await app.request("http://127.0.0.1/openapi.json", {}, {})).json()) as OpenApi;
}
