import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeToken, TOKEN_ID_BYTES, TOKEN_SECRET_BYTES } from "../../../src/core/access/token.ts";
import { app } from "../../../src/workers/app.ts";
import type { Environment } from "../../../src/workers/bindings/environment.ts";
import { post, problemOf } from "../api/calls.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
/** As an attacker who knows the form makes one: the checksum is right. */
const madeUp = () => makeToken(random(TOKEN_ID_BYTES), random(TOKEN_SECRET_BYTES));
const freshAddress = () => `2001:db8:${crypto.randomUUID().slice(0, 4)}:${crypto.randomUUID().slice(0, 4)}::1`;

async function validToken(): Promise<string> {
  const answer = await post("/v1/tokens", { name: "valid", scopes: ["signals:read"], ecosystems: ["*"] });
  return ((await answer.json()) as { token: string }).token;
}

/** The edge with a directory whose look-ups are counted. */
function countedEdge(bindings: Record<string, unknown> = {}) {
  const real = env as unknown as Environment;
  let asked = 0;
  const DIRECTORY = new Proxy(real.DIRECTORY, {
    get: (target, key) => {
      if (key !== "get") return Reflect.get(target, key).bind(target);
      return (...args: Parameters<typeof target.get>) => {
        asked++;
        return target.get(...args);
      };
    },
  });
  return {
    get asked() {
      return asked;
    },
    call: async (token: string | null, address?: string, path = "/v1/default/signals") =>
      app.request(
        path,
        {
          headers: {
            ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
            ...(address === undefined ? {} : { "CF-Connecting-IP": address }),
          },
        },
        { ...real, ...bindings, DIRECTORY },
      ),
  };
}

describe("a made-up token", () => {
  it.each([
    ["with a wrong checksum", () => `${madeUp().token.slice(0, -6)}000000`],
    ["cut by a character", () => madeUp().token.slice(0, -1)],
    ["of another form", () => "letmein"],
  ])("%s is refused without asking the directory, like any other", async (_how, make) => {
    const edge = countedEdge();
    const refused = await edge.call(make());
    expect(edge.asked).toBe(0);
    const unknown = await edge.call(madeUp().token);
    expect(edge.asked).toBe(1);
    const [first, second] = [await problemOf(refused), await problemOf(unknown)];
    expect(first).toEqual(second);
    expect([...refused.headers]).toEqual([...unknown.headers]);
  });

  it.each([
    ["with a checksum", () => madeUp().token],
    ["of the form without one", () => `gng_${madeUp().id}_${madeUp().secret}`],
  ])("%s is looked up once, and then refused from memory", async (_how, make) => {
    const edge = countedEdge();
    const token = make();
    const answers = [await edge.call(token), await edge.call(token), await edge.call(token)];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(edge.asked).toBe(1);
  });

  it("hides no token that is created later", async () => {
    const edge = countedEdge();
    for (let index = 0; index < 20; index++) await edge.call(madeUp().token);
    expect((await edge.call(await validToken())).status).toBe(200);
  });

  it("is not remembered as refused where the directory could not answer", async () => {
    const token = await validToken();
    const failing = { get: () => ({ verify: () => Promise.reject(new Error("down")) }), idFromName: () => ({}) };
    const edge = countedEdge({});
    const down = await app.request(
      "/v1/default/signals",
      { headers: { Authorization: `Bearer ${token}` } },
      { ...(env as object), DIRECTORY: failing },
    );
    expect(down.status).toBeGreaterThanOrEqual(500);
    expect((await edge.call(token)).status).toBe(200);
  });
});

describe("a token of an earlier version, without a checksum", () => {
  it("goes on working", async () => {
    const token = await validToken();
    expect((await countedEdge().call(token.slice(0, -6))).status).toBe(200);
  });
});

/** Accepts each key as often as `limit` says, without the end of a minute in between. */
function fakeLimit(limit: number) {
  const counts = new Map<string, number>();
  const binding: RateLimit = {
    limit: async ({ key = "" }) => {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return { success: (counts.get(key) ?? 0) <= limit };
    },
  };
  return { binding, counts };
}

describe("a network from which too many calls come without a valid token", () => {
  const LIMIT = 5;
  const limitedEdge = () => countedEdge({ FAILED_CALLERS: fakeLimit(LIMIT).binding });
  /** Sends failures until the limit is passed. */
  async function exhaust(edge: ReturnType<typeof countedEdge>, address: string) {
    for (let index = 0; index < LIMIT; index++) expect((await edge.call("wrong", address)).status).toBe(401);
    return edge.call("wrong", address);
  }

  it("is limited by the binding of wrangler.toml to sixty failures a minute", async () => {
    const edge = countedEdge();
    const address = freshAddress();
    const statuses: number[] = [];
    // A minute of the limiter may end in between.
    while (statuses.at(-1) !== 429 && statuses.length <= 130) statuses.push((await edge.call("wrong", address)).status);
    expect(statuses.length).toBeGreaterThan(60);
    expect(statuses.at(-1)).toBe(429);
  });

  it("is answered 429 with the time to wait, and its unknown tokens are not looked up", async () => {
    const edge = limitedEdge();
    const address = freshAddress();
    const refused = await exhaust(edge, address);
    expect(refused.headers.get("retry-after")).toBe("10");
    expect(await problemOf(refused)).toMatchObject({ status: 429, type: "/problems/too-many-attempts" });
    for (let index = 0; index < 20; index++) expect((await edge.call(madeUp().token, address)).status).toBe(429);
    expect(edge.asked).toBe(0);
  });

  it("is known by the /64 of its IPv6 address, and harms no other network", async () => {
    const edge = limitedEdge();
    const address = freshAddress();
    await exhaust(edge, address);
    expect((await edge.call(madeUp().token, address.replace("::1", ":1:2:3:4"))).status).toBe(429);
    expect((await edge.call(madeUp().token, freshAddress())).status).toBe(401);
    expect((await edge.call(await validToken(), freshAddress())).status).toBe(200);
  });

  it("keeps its hosts whose tokens were valid before, also when they are looked up again", async () => {
    const edge = limitedEdge();
    const address = freshAddress();
    const token = await validToken();
    expect((await edge.call(token, address)).status).toBe(200);
    await exhaust(edge, address);
    expect((await edge.call(token, address)).status).toBe(200);
    // A stream asks the directory each time.
    const stream = await edge.call(token, address, "/v1/default/signals/stream");
    await stream.body?.cancel();
    expect([stream.status, edge.asked]).toEqual([200, 2]);
    expect((await edge.call("the-administrator", address)).status).toBe(200);
  });

  it("is not limited where the edge has no such binding, or nobody says who calls", async () => {
    const [unlimited, unknown] = [countedEdge({ FAILED_CALLERS: undefined }), limitedEdge()];
    const address = freshAddress();
    for (let index = 0; index < LIMIT + 5; index++) {
      expect((await unlimited.call("wrong", address)).status).toBe(401);
      expect((await unknown.call("wrong")).status).toBe(401);
    }
  });
});

describe("a token that is looked up too often", () => {
  it("is answered 429 before the directory is asked, and uses up no share of another token", async () => {
    const { binding: TOKEN_CHECKS, counts } = fakeLimit(3);
    const edge = countedEdge({ TOKEN_CHECKS });
    const [one, other] = [await validToken(), await validToken()];
    const open = async (token: string) => {
      const answer = await edge.call(token, undefined, "/v1/default/signals/stream");
      if (answer.ok) await answer.body?.cancel();
      return answer;
    };
    for (let index = 0; index < 3; index++) expect((await open(one)).status).toBe(200);
    const refused = await open(one);
    expect(refused.headers.get("retry-after")).toBe("10");
    expect(await problemOf(refused)).toMatchObject({ status: 429, type: "/problems/too-many-attempts" });
    expect(edge.asked).toBe(3);
    expect((await open(other)).status).toBe(200);
    expect([...counts.keys()].join()).not.toContain(one.slice(17));
  });
});
