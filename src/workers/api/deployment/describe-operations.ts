import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ApiEnv } from "../http/api-env.ts";

import { withBodyExample } from "./body-examples.ts";

type Paths = NonNullable<ReturnType<OpenAPIHono<ApiEnv>["getOpenAPI31Document"]>["paths"]>;
type Operation = NonNullable<Paths[string]["get"]>;

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

const header = (description: string, example: string) => ({
  description,
  schema: { type: "string" as const },
  example,
});

const LINK = {
  Link: header("The next page, if there is one (RFC 8288)", '</v1/default/signals?after=100>; rel="next"'),
};
const SHARE = {
  "RateLimit-Policy": header(
    "A quota of the token: `q` in all, counted in `qu`, in `w` seconds; absent where the token has none that is known",
    '"log_bytes";q=4000000000;qu="content-bytes";w=86400',
  ),
  RateLimit: header("What is left of it, and after how many seconds there is more", '"log_bytes";r=3999998000;t=3600'),
};
const REFUSED = { ...SHARE, "Retry-After": header("Seconds after which to come again, where that helps", "60") };
const TAGGED = { ETag: header("Names this state of the answer, for `If-None-Match`", 'W/"42.s42.abc.Q_TEST"') };

/** What an id in a path names, by the part of the path before it. */
const NAMED: Readonly<Record<string, string>> = {
  producers: "Name of the producer",
  signals: "Id of the signal",
  scanners: "Id of the scanner",
  policies: "Id of the rule",
  tokens: "Id of the token",
  sessions: "Id of the session",
};

/** Describes what all operations of a kind have in common: headers of their answers, and ids in their paths. */
export function describeOperations(paths: Paths): Paths {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => {
      const described = METHODS.flatMap((method) => {
        const operation = item[method];
        return operation === undefined ? [] : [[method, describedOperation(path, method, operation)] as const];
      });
      return [path, { ...item, ...Object.fromEntries(described) }];
    }),
  );
}

function describedOperation(path: string, method: string, operation: Operation): Operation {
  const parameters = (operation.parameters ?? []).map((parameter) => {
    if ("$ref" in parameter || parameter.description !== undefined || parameter.in !== "path") return parameter;
    const [, before = ""] = path.split(`/{${parameter.name}}`)[0]?.match(/([^/]+)$/) ?? [];
    return NAMED[before] === undefined ? parameter : { ...parameter, description: NAMED[before] };
  });
  const paged = method === "get" && parameters.some((one) => "name" in one && one.name === "after");
  const responses = Object.entries(operation.responses ?? {}).map(([status, response]) => {
    if ("$ref" in response) return [status, response];
    const more = {
      ...(status === "429" ? REFUSED : {}),
      ...(status === "202" && operation.operationId?.startsWith("emit") === true ? SHARE : {}),
      ...(status === "200" && paged ? LINK : {}),
      ...(status === "200" && "304" in (operation.responses ?? {}) ? TAGGED : {}),
    };
    return [status, Object.keys(more).length === 0 ? response : { ...response, headers: more }];
  });
  const body = operation.requestBody;
  const json = body !== undefined && "content" in body ? body.content["application/json"] : undefined;
  const schema = json?.schema === undefined ? undefined : withBodyExample(operation.operationId, { ...json.schema });
  return {
    ...operation,
    ...(schema === undefined || body === undefined || !("content" in body)
      ? {}
      : { requestBody: { ...body, content: { ...body.content, "application/json": { ...json, schema } } } }),
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: Object.fromEntries(responses),
  };
}
