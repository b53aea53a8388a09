import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { mapErrors, mapRequest, withoutSecrets } from "../../../src/core/inbox/map-request.ts";
import { InboxSourceInput, type SourceAtDoor } from "../../../src/core/inbox/source.ts";
import { hasToken, isGithubWebhook, isHmacWebhook, isStandardWebhook } from "../../../src/core/inbox/verify.ts";

const [OLD, NEW] = [1, 2].map((byte) => `whsec_${btoa(String.fromCharCode(...new Uint8Array(32).fill(byte)))}`) as [
  string,
  string,
];
const now = new Date("2026-01-31T12:00:00.000Z");
const bytes = (text: string) => new TextEncoder().encode(text);
const BODY = '{"type":"ticket.opened","data":{"n":1}}';

function signed(secret: string, { id = "msg_1", at = now, body = BODY, list = (own: string) => own } = {}) {
  const headers = new Map([
    ["webhook-id", id],
    ["webhook-timestamp", String(Math.floor(at.getTime() / 1_000))],
    ["webhook-signature", list(new Webhook(secret).sign(id, at, body))],
  ]);
  return { headers, body: bytes(body) };
}
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1_000);

describe("a request signed as Standard Webhooks", () => {
  const verify = (request: ReturnType<typeof signed>, secrets = [NEW, OLD]) =>
    isStandardWebhook(request, secrets, now.getTime());

  it("is verified by either secret, and by one signature of several", async () => {
    for (const secret of [OLD, NEW]) expect(await verify(signed(secret))).toBe(true);
    expect(await verify(signed(NEW, { list: (own) => `v1a,xyz v1,${"A".repeat(43)}= ${own}` }))).toBe(true);
    for (const seconds of [-299, 299]) expect(await verify(signed(NEW, { at: secondsAgo(seconds) }))).toBe(true);
  });

  it.each<[string, ReturnType<typeof signed>, string[]]>([
    ["its body was changed", { ...signed(NEW), body: bytes(`${BODY} `) }, [NEW]],
    [
      "its id was changed",
      { ...signed(NEW), headers: new Map([...signed(NEW).headers, ["webhook-id", "other"]]) },
      [NEW],
    ],
    ["it is older than five minutes", signed(NEW, { at: secondsAgo(301) }), [NEW]],
    ["it is from the future", signed(NEW, { at: secondsAgo(-301) }), [NEW]],
    [
      "its time is none",
      { ...signed(NEW), headers: new Map([...signed(NEW).headers, ["webhook-timestamp", "now"]]) },
      [NEW],
    ],
    ["the secret is another", signed(OLD), [NEW]],
    ["there is no secret", signed(NEW), []],
    ["its signature is of another version", signed(NEW, { list: (own) => own.replace("v1,", "v2,") }), [NEW]],
    ["it has no signature", { headers: new Map(), body: bytes(BODY) }, [NEW]],
    ["its id is empty", signed(NEW, { id: "" }), [NEW]],
  ])("is refused where %s", async (_, request, secrets) => {
    expect(await verify(request, secrets)).toBe(false);
  });
});

describe("a request signed by GitHub", () => {
  const signature = (secret: string, body = BODY) =>
    `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const request = (header: string | undefined) => ({
    headers: new Map(header === undefined ? [] : [["x-hub-signature-256", header]]),
    body: bytes(BODY),
  });

  it("is verified by the secret alone", async () => {
    // The example of GitHub's documentation.
    const example = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const hello = { headers: new Map([["x-hub-signature-256", example]]), body: bytes("Hello, World!") };
    expect(await isGithubWebhook(hello, ["It's a Secret to Everybody"])).toBe(true);
    expect(await isGithubWebhook(request(signature("b")), ["a", "b"])).toBe(true);
    for (const wrong of [
      undefined,
      signature("c"),
      signature("a", "x"),
      signature("a").toUpperCase(),
      "sha256=",
      "sha1=00",
    ])
      expect(await isGithubWebhook(request(wrong), ["a", "b"])).toBe(false);
    for (const secrets of [[], [""]]) expect(await isGithubWebhook(request(signature("")), secrets)).toBe(false);
  });
});

describe("a request signed in another header", () => {
  const mac = (encoding: "hex" | "base64") => createHmac("sha256", "a-secret-of-sixteen").update(BODY).digest(encoding);
  const request = (value: string) => ({ headers: new Map([["x-sig", value]]), body: bytes(BODY) });

  it("is verified by its HMAC, in hex or base64, behind a prefix", async () => {
    const verify = (value: string, more: object = {}) =>
      isHmacWebhook(request(value), ["a-secret-of-sixteen"], { header: "X-Sig", ...more });
    expect(await verify(mac("hex"))).toBe(true);
    expect(await verify(mac("base64"), { encoding: "base64" })).toBe(true);
    expect(await verify(`v0=${mac("hex")}`, { prefix: "v0=" })).toBe(true);
    for (const wrong of ["", mac("base64"), `v0=${mac("hex")}`, mac("hex").replace(/^./, "g")])
      expect(await verify(wrong)).toBe(false);
    expect(await verify(mac("hex"), { prefix: "v0=" })).toBe(false);
  });

  it("is verified by a token that is one of the secrets, and by no other", async () => {
    const verify = (value: string, secrets = ["old-secret", "new-secret"]) =>
      hasToken(request(value), secrets, { header: "X-Sig" });
    for (const good of ["old-secret", "new-secret"]) expect(await verify(good)).toBe(true);
    for (const wrong of ["", "old-secre", "old-secret "]) expect(await verify(wrong)).toBe(false);
    for (const none of [[], [""]]) expect(await verify("", none)).toBe(false);
  });
});

describe("the map of a source", () => {
  const source = (more: Partial<SourceAtDoor> = {}): SourceAtDoor => ({
    name: "gh",
    kind: "github",
    signal: "X_HOOK",
    secrets: [],
    ...more,
  });
  const headers = new Map([
    ["x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"],
    ["x-github-event", "push"],
  ]);
  const body = { ref: "refs/heads/main", repository: { full_name: "acme/site" }, commits: [{ id: "c1" }] };
  const mapped = (map: SourceAtDoor["map"], given: unknown = body) => {
    const result = mapRequest(
      source(map === undefined ? {} : { map }),
      { headers, body: given },
      "default",
      now.getTime(),
    );
    if (result === "ignored") return result;
    return result.ok ? { ...result.signal, facts: JSON.parse(result.signal.factsJson) } : result.errors;
  };

  it("makes the whole body the facts, and the delivery the id, unless it says otherwise", () => {
    expect(mapped(undefined)).toMatchObject({
      signal: "X_HOOK",
      source: "inbox/gh",
      id: headers.get("x-github-delivery"),
      facts: body,
    });
    expect(mapped(undefined, [1])).toMatchObject({ facts: { data: [1] } });
    const map = {
      signal: "'X_' + headers['x-github-event']",
      facts: { repo: "facts.repository.full_name", first: "body.commits[0].id", count: "size(body.commits)" },
      id: "facts.ref + '@' + headers['x-github-delivery']",
    };
    expect(mapped(map)).toMatchObject({
      signal: "X_push",
      facts: { repo: "acme/site", first: "c1", count: 1 },
      id: "ce~refs~2Fheads~2Fmain@72d3162e-cc78-11e3-81ab-4c9367dc0958",
    });
  });

  it("ignores what its condition is false for, and names the expression that fails", () => {
    expect(mapped({ where: "headers['x-github-event'] == 'issues'" })).toBe("ignored");
    expect(mapped({ facts: { x: "body.absent.x" } })).toMatchObject([{ pointer: "/map/facts/x" }]);
    expect(mapped({ signal: "'Q_QUEUE_BREAKER'" })).toMatchObject([{ pointer: "/map/signal" }]);
    expect(mapped({ signal: "'no name'" })).toMatchObject([{ pointer: "/map/signal" }]);
  });

  it("is refused where an expression is none, or reads what is not there", () => {
    expect(
      mapErrors({ map: { where: "body.", facts: { a: "body.x", b: "nothing.x" } } }).map(({ pointer }) => pointer),
    ).toEqual(["/map/where", "/map/facts/b"]);
  });

  it("reads no header that holds a secret", () => {
    const all = [
      ["authorization", "Bearer x"],
      ["cookie", "a"],
      ["x-hub-signature-256", "s"],
      ["x-a", "1"],
    ] as const;
    expect([...withoutSecrets(all).keys()]).toEqual(["x-a"]);
    expect([...withoutSecrets(all, "X-A").keys()]).toEqual([]);
  });
});

describe("a source that is set", () => {
  it.each<[object, string]>([
    [{ verify: { kind: "telepathy" }, signal: "X" }, "verify.kind"],
    [{ verify: { kind: "none", secret: "x" }, signal: "X" }, "verify"],
    [{ verify: { kind: "github", secret: "short" }, signal: "X" }, "verify.secret"],
    [{ verify: { kind: "standard-webhooks", secret: "whsec_x" }, signal: "X" }, "verify.secret"],
    [{ verify: { kind: "none" }, signal: "Q_AGENT_DOWN" }, "signal"],
    [{ verify: { kind: "none" }, signal: "X", source: "ganglion/policy" }, "source"],
  ])("is refused as %j", (input, path) => {
    expect(InboxSourceInput.safeParse(input).error?.issues.map((issue) => issue.path.join("."))).toContain(path);
  });
});
