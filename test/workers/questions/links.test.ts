import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { call, post } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { webhooksOf } from "../webhooks/webhooks-under-test.ts";
import { questionsOf } from "./questions-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

interface Sent {
  body: string;
}

/** An ecosystem whose questions for ops go to an endpoint. */
async function chatting(format?: string, more: object = {}) {
  const asking = questionsOf();
  const hooks = webhooksOf(asking.eco);
  await hooks.add("chat", "200", { questions: ["ops"], ...(format === undefined ? {} : { format }), ...more });
  const linkIn = (text: string) => /https:\/\/edge\.test(\/v1\/[^"\\\s)>|]+\/answer\/[\w.-]+)/.exec(text)?.[1] ?? "";
  /** The path of the link in the last of `count` messages. */
  const link = async (count = 1) =>
    linkIn(((await hooks.received("chat", count)) as unknown as Sent[]).at(-1)?.body ?? "");
  // Readers of a network of their own: other tests have had theirs refused for a while.
  const network = Math.floor(Math.random() * 0xffff).toString(16);
  const from = { "CF-Connecting-IP": `2001:db8:${network}::1` };
  const open = (path: string) => call(path, { token: null, headers: from });
  const press = (path: string, answer: string) =>
    call(path, {
      method: "POST",
      token: null,
      body: new URLSearchParams({ answer }).toString(),
      headers: { "Content-Type": "application/x-www-form-urlencoded", ...from },
    });
  return { ...asking, hooks, link, open, press };
}

describe("links that answer", () => {
  for (const format of [undefined, "slack", "discord", "teams", "ntfy"] as const)
    it(`go out with messages of the format ${format ?? "raw"}`, async () => {
      const { ask, link, open } = await chatting(format, format === "ntfy" ? { topic: "ops" } : {});
      await ask({ context: { cost: 7 } });
      const page = await open(await link());
      const text = await page.text();
      expect([page.status, text]).toEqual([200, expect.stringContaining("Deploy?")]);
      expect(text).toContain('<button name="answer" value="yes">yes</button>');
      expect(text).toContain("&quot;cost&quot;: 7");
    });

  it("show the question when they are opened, however often, and answer by their POST alone", async () => {
    const { ask, link, open, press, show } = await chatting();
    const id = await ask();
    const path = await link();
    for (let preview = 0; preview < 5; preview++) expect((await open(path)).status).toBe(200);
    expect((await call(path, { method: "HEAD", token: null })).status).toBe(200);
    expect((await show(id)).state).toBe("open");
    const pressed = await press(path, "yes");
    expect([pressed.status, await pressed.text()]).toEqual([200, expect.stringContaining("yes")]);
    expect(await show(id)).toMatchObject({
      state: "answered",
      answer: "yes",
      answered_by: { name: "chat", way: "link" },
    });
  });

  it("answer once: pressed again they say who answered, and change nothing", async () => {
    const { ask, link, press, open, show } = await chatting();
    const id = await ask();
    const path = await link();
    await press(path, "yes");
    const again = await press(path, "no");
    expect([again.status, await again.text()]).toEqual([409, expect.stringContaining("chat (by a link) answered")]);
    expect((await press(path, "yes")).status).toBe(409);
    expect((await open(path)).status).toBe(410);
    expect((await show(id)).answer).toBe("yes");
  });

  it("are refused once the question has expired", async () => {
    const { ask, link, press, open, pass, show } = await chatting();
    const id = await ask({ expires: "1h" });
    const path = await link();
    await pass(3_600_001);
    expect((await open(path)).status).toBe(410);
    expect((await press(path, "yes")).status).toBe(409);
    expect((await show(id)).state).toBe("expired");
  });

  it("are refused where anything of them is forged, and for another question, option set or ecosystem", async () => {
    const { ask, link, press, open, show, stub, eco } = await chatting();
    const id = await ask();
    const path = await link();
    const [head = "", token = ""] = [path.slice(0, path.lastIndexOf("/") + 1), path.slice(path.lastIndexOf("/") + 1)];
    const [payload = "", mac = ""] = token.split(".");
    const other = await ask({ question: "Delete everything?" });
    const of = (question: string) => btoa(JSON.stringify([question, "chat", "asked"])).replaceAll("=", "");
    const flipped = `${mac.slice(0, 10)}${mac[10] === "A" ? "B" : "A"}${mac.slice(11)}`;
    const forged = [
      `${payload}.${flipped}`,
      `${of(other)}.${mac}`,
      `${of(id)}.`,
      `${payload}.${"A".repeat(43)}`,
      payload,
      "x.y",
      "%00",
    ];
    for (const one of forged) {
      expect((await press(head + one, "yes")).status, one).toBe(403);
      expect((await open(head + one)).status, one).toBe(403);
    }
    const elsewhere = await chatting();
    await elsewhere.ask();
    await elsewhere.link();
    expect((await press(path.replace(eco, elsewhere.eco), "yes")).status).toBe(403);
    expect((await press(path.replace(eco, "no-such-ecosystem"), "yes")).status).toBe(403);
    expect((await show(other)).state).toBe("open");
    // The options are not those any more that the reader of the message saw.
    await runInDurableObject(stub(), (_, { storage }) =>
      storage.sql.exec(
        "UPDATE questions SET body = json_set(body, '$.options', json('[\"yes\",\"never\"]')) WHERE id = ?",
        id,
      ),
    );
    expect((await press(path, "yes")).status).toBe(403);
  });

  it("take one of the options alone, or a text where there are none", async () => {
    const { ask, link, press, show } = await chatting();
    const id = await ask();
    const path = await link();
    expect((await press(path, "perhaps")).status).toBe(422);
    expect((await press(path, "")).status).toBe(422);
    expect((await show(id)).state).toBe("open");
    const free = await ask({ question: "How many?", options: undefined });
    const text = await link(2);
    expect((await press(text, "  two\r\nor three ")).status).toBe(200);
    expect((await show(free)).answer).toBe("two\nor three");
  });

  it("show what others wrote as text, and let nothing of the page leave", async () => {
    const { ask, link, open } = await chatting();
    await ask({
      question: '<script>alert(1)</script>"',
      options: ['"><img src=x onerror=alert(1)>'],
      context: { a: "</pre><b>" },
    });
    const page = await open(await link());
    const text = await page.text();
    expect(text).not.toContain("<script>");
    expect(text).not.toContain("<img");
    expect(text).not.toContain("</pre><b>");
    expect(Object.fromEntries(page.headers)).toMatchObject({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-robots-tag": "noindex, nofollow",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
    });
  });

  it("go to the recipient, to reminders and to who is asked next, and not to endpoints of others", async () => {
    const { ask, hooks, pass, link, press, show } = await chatting();
    await hooks.add("boss-chat", "200", { questions: ["boss"] });
    await hooks.add("others", "200", { questions: ["sales*"] });
    const id = await ask({ expires: "10h", escalate_to: "boss", escalate_after: "1h" });
    const first = await link();
    await pass(3_600_000);
    // The questions tell the webhooks beside their own work; the alarm of those is an hour ahead of the runtime's clock.
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(hooks.stub());
      expect((await hooks.deliveries("boss-chat")).map(({ state }) => state)).toEqual(["delivered"]);
    });
    const [escalated] = (await hooks.received("boss-chat", 1)) as unknown as Sent[];
    expect(escalated?.body).toContain("Nobody has answered");
    expect(await hooks.deliveries("others")).toEqual([]);
    // The first link still answers: who comes first.
    expect((await press(first, "no")).status).toBe(200);
    expect(await show(id)).toMatchObject({ answer: "no", answered_by: { name: "chat" } });
  });

  it("are told of the end, without a link", async () => {
    const { ask, answer, hooks, stub } = await chatting();
    const id = await ask();
    await hooks.received("chat", 1);
    await answer(id, "yes");
    await runDurableObjectAlarm(stub());
    const messages = (await hooks.received("chat", 2)) as unknown as Sent[];
    const ended = messages.find(({ body }) => body.includes("question.ended"))?.body ?? "";
    expect(ended).toContain("answered");
    expect(ended).not.toContain("/answer/");
  });

  it("are the same after a crash in the midst of their sending, and are sent once", async () => {
    const { ask, hooks, stub, link, press } = await chatting();
    await ask();
    await crash(stub());
    await runDurableObjectAlarm(stub());
    expect((await press(await link(), "yes")).status).toBe(200);
    expect((await hooks.deliveries("chat")).filter(({ id }) => id.startsWith("question."))).toHaveLength(1);
  });

  it("stand in no dead letter, no signal and no list of deliveries, and their secret in no export", async () => {
    const { eco, ask, hooks } = await chatting();
    await hooks.add("broken", "410", { questions: ["ops"] });
    await ask();
    await vi.waitFor(async () =>
      expect((await hooks.deliveries("broken")).filter(({ state }) => state === "failed")).toHaveLength(1),
    );
    const texts = await Promise.all(
      ["dead-letters", "signals", "webhooks/chat/deliveries", "webhooks"].map(async (path) =>
        (await call(`/v1/${eco}/${path}`)).text(),
      ),
    );
    await vi.waitFor(async () =>
      expect(await (await call(`/v1/${eco}/dead-letters`)).text()).toContain("question.asked"),
    );
    texts.push(await (await call(`/v1/${eco}/dead-letters`)).text());
    for (const text of texts) expect(text).not.toContain("/answer/");
  });

  it("are not made for a caller who makes an ecosystem up, and need no token that would be of use", async () => {
    const { press } = await chatting();
    expect((await press("/v1/Not_a_name/answer/x.y", "yes")).status).toBe(403);
    const { eco } = questionsOf();
    expect((await post(`/v1/${eco}/answer/x.y`, { answer: "yes" }, { token: null })).status).toBe(403);
  });
});
