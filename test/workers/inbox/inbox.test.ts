import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { directory } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";

interface Set {
  readonly secret?: string;
  readonly path: string;
  readonly verify: { readonly kind: string; readonly old_secret_until?: string };
}

const BODY = JSON.stringify({ type: "ticket.opened", data: { n: 1 } });
const sources = (eco: string) => `/v1/${eco}/inbox`;

async function set(eco: string, name: string, source: object): Promise<Set> {
  const answer = await post(`${sources(eco)}/${name}`, { signal: "X_HOOK", ...source }, { method: "PUT" });
  if (![200, 201].includes(answer.status)) throw new Error(await answer.text());
  return answer.json();
}

function send(eco: string, name: string, secret: string, { id = "msg_1", body = BODY, headers = {} } = {}) {
  const at = new Date();
  const signature = {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, at, body),
  };
  return call(`${sources(eco)}/${name}`, {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json", ...signature, ...headers },
    token: null,
  });
}

const signals = async (eco: string) =>
  ((await (await call(`/v1/${eco}/signals`)).json()) as { signals: object[] }).signals;

async function github(secret: string, body: string): Promise<string> {
  const bytes = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes.encode(body)));
  return `sha256=${Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

describe("the inbox", () => {
  it("takes a webhook by its signature, without a token, and repeats of it once, however late", async () => {
    const eco = freshEcosystem();
    const { secret = "", path } = await set(eco, "desk", { verify: { kind: "standard-webhooks" } });
    expect(path).toBe(`/v1/${eco}/inbox/desk`);
    const first = await send(eco, "desk", secret);
    expect([first.status, await first.json()]).toMatchObject([202, { accepted: 1, ids: ["msg_1"] }]);
    expect(await (await send(eco, "desk", secret)).json()).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await signals(eco)).toMatchObject([
      { signal: "X_HOOK", source: "inbox/desk", id: "msg_1", facts: { type: "ticket.opened", data: { n: 1 } } },
    ]);
    // The log knows ids by heart for ten minutes, and those of each sender apart: a later repeat is found in the log itself.
    await post(`/v1/${eco}/signals`, { signal: "X_HOOK", source: "inbox/desk", facts: {}, id: "msg_2" });
    const late = await send(eco, "desk", secret, { id: "msg_2" });
    expect(await late.json()).toEqual({ first_seq: 2, last_seq: 2, accepted: 0, duplicates: 1, ids: ["msg_2"] });
  });

  it("answers an unknown source, an unknown ecosystem and a wrong signature alike, and makes nothing", async () => {
    const eco = freshEcosystem();
    await set(eco, "desk", { verify: { kind: "standard-webhooks" } });
    const wrong = `whsec_${btoa("w".repeat(32))}`;
    const stranger = freshEcosystem();
    const answers = await Promise.all([
      send(eco, "desk", wrong),
      send(eco, "nobody", wrong),
      send(eco, "no%20name", wrong),
      send(stranger, "desk", wrong),
      call(`${sources(eco)}/desk`, { method: "POST", body: "", token: null }),
    ]);
    const problems = await Promise.all(answers.map(problemOf));
    expect(new Set(problems.map((problem) => JSON.stringify(problem))).size).toBe(1);
    expect(problems[0]).toMatchObject({ status: 401, type: "/problems/unverified" });
    expect(await directory(env).hasEcosystem(stranger)).toBe(false);
    expect(await signals(eco)).toEqual([]);
  });

  it("takes GitHub's webhooks, mapped, and ignores what its map leaves out", async () => {
    const eco = freshEcosystem();
    const secret = "a-secret-of-the-repository";
    await set(eco, "gh", {
      verify: { kind: "github", secret },
      map: { where: "headers['x-github-event'] == 'push'", facts: { repo: "body.repository.full_name" } },
    });
    const body = JSON.stringify({ repository: { full_name: "acme/site" } });
    const deliver = async (event: string, more: object = {}, text = body) =>
      call(`${sources(eco)}/gh`, {
        method: "POST",
        body: text,
        token: null,
        headers: {
          "Content-Type": "application/json",
          "X-GitHub-Event": event,
          "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
          "X-Hub-Signature-256": await github(secret, text),
          ...more,
        },
      });
    expect((await deliver("ping")).status).toBe(204);
    const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    expect((await deliver("push", { traceparent: trace })).status).toBe(202);
    expect(await (await deliver("push")).json()).toMatchObject({ duplicates: 1 });
    const form = `payload=${encodeURIComponent(body)}`;
    const sent = { "Content-Type": "application/x-www-form-urlencoded", "X-GitHub-Delivery": "other" };
    expect((await deliver("push", sent, form)).status).toBe(202);
    expect(
      (await deliver("push", { "X-Hub-Signature-256": await github("another secret, sixteen", body) })).status,
    ).toBe(401);
    const broken = await problemOf(await deliver("push", { "X-GitHub-Delivery": "third" }, "{}"));
    expect(broken).toMatchObject({ status: 422, errors: [{ pointer: "/map/facts/repo" }] });
    expect(await signals(eco)).toMatchObject([{ facts: { repo: "acme/site" }, trace }, { id: "other" }]);
  });

  it("takes what is signed in a header of the source's own, or has its secret there", async () => {
    const eco = freshEcosystem();
    const secret = "a-secret-of-the-source";
    await set(eco, "signs", { verify: { kind: "hmac", header: "X-Sig", prefix: "sha256=", secret } });
    const put = await set(eco, "tells", {
      verify: { kind: "token", header: "X-Gitlab-Token", secret },
      map: { facts: { keys: "size(headers)", told: "'x-gitlab-token' in headers" } },
    });
    expect(put.verify).toEqual({ kind: "token", header: "X-Gitlab-Token" });
    const deliver = async (name: string, headers: Record<string, string>) =>
      (await post(`${sources(eco)}/${name}`, BODY, { headers, token: null })).status;
    expect(await deliver("signs", { "X-Sig": await github(secret, BODY) })).toBe(202);
    expect(await deliver("signs", { "X-Sig": await github("another", BODY) })).toBe(401);
    expect(await deliver("tells", { "X-Gitlab-Token": secret })).toBe(202);
    expect(await deliver("tells", { "X-Gitlab-Token": `${secret}.` })).toBe(401);
    expect(await signals(eco)).toMatchObject([{ facts: JSON.parse(BODY) }, { facts: { told: false } }]);
  });

  it("takes both secrets for a day after one was replaced, and shows neither", async () => {
    const eco = freshEcosystem();
    const old = (await set(eco, "desk", { verify: { kind: "standard-webhooks" } })).secret ?? "";
    const next = `whsec_${btoa("n".repeat(32))}`;
    const replaced = await set(eco, "desk", { verify: { kind: "standard-webhooks", secret: next } });
    expect(Date.parse(replaced.verify.old_secret_until ?? "")).toBeGreaterThan(Date.now());
    expect((await send(eco, "desk", old, { id: "1" })).status).toBe(202);
    expect((await send(eco, "desk", next, { id: "2" })).status).toBe(202);
    const shown = await (await call(sources(eco))).text();
    expect([shown.includes(old), shown.includes(next), shown.includes("desk")]).toEqual([false, false, true]);
    // Set again without a secret, it keeps both.
    await set(eco, "desk", { verify: { kind: "standard-webhooks" }, description: "d" });
    expect((await send(eco, "desk", old, { id: "3" })).status).toBe(202);
    expect((await call(`${sources(eco)}/desk`, { method: "DELETE" })).status).toBe(204);
    expect((await send(eco, "desk", next, { id: "4" })).status).toBe(401);
  });

  it("asks for a token where a source has no signature", async () => {
    const eco = freshEcosystem();
    await set(eco, "plain", { verify: { kind: "none" }, source: "ci" });
    const path = `${sources(eco)}/plain`;
    expect((await post(path, { ok: true }, { token: null })).status).toBe(401);
    const { token: reader } = await makeToken(eco, ["signals:read"]);
    expect((await post(path, { ok: true }, { token: reader })).status).toBe(403);
    const { token } = await makeToken(eco, ["signals:write"]);
    expect((await post(path, { ok: true }, { token })).status).toBe(202);
    expect(await signals(eco)).toMatchObject([{ source: "ci", facts: { ok: true } }]);
  });

  it("is bounded at its door", async () => {
    const eco = freshEcosystem();
    const { secret = "" } = await set(eco, "desk", { verify: { kind: "standard-webhooks" } });
    expect((await send(eco, "desk", secret, { body: `"${"x".repeat(1024 * 1024)}"` })).status).toBe(413);
    const flood = await Promise.all(
      Array.from({ length: 620 }, () => call(`${sources(eco)}/desk`, { method: "POST", body: "", token: null })),
    );
    const refused = flood.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers.get("retry-after")).toBe("10");
  });

  it("is set by administrators alone, with expressions that compile", async () => {
    const eco = freshEcosystem();
    const { token } = await makeToken(eco, ["policy:write", "signals:write", "signals:read"]);
    const source = { verify: { kind: "none" }, signal: "X" };
    expect((await post(`${sources(eco)}/a`, source, { method: "PUT", token })).status).toBe(403);
    const wrong = { ...source, map: { facts: { a: "body." } } };
    expect(await problemOf(await post(`${sources(eco)}/a`, wrong, { method: "PUT" }))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/map/facts/a" }],
    });
    expect((await call(`${sources(eco)}/a`)).status).toBe(404);
  });
});
