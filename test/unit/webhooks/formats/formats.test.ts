import { describe, expect, it } from "vitest";
import { BUILT_IN_RULES } from "../../../../src/core/policy/built-in-rules.ts";
import { ExpressionError } from "../../../../src/core/policy/expression.ts";
import type { WebhookContent } from "../../../../src/core/webhooks/formats/message.ts";
import { noticeOf } from "../../../../src/core/webhooks/formats/notice.ts";
import { renderRequest } from "../../../../src/core/webhooks/formats/render.ts";
import { compileTemplate, renderTemplate } from "../../../../src/core/webhooks/formats/template.ts";
import type { EndpointSettings } from "../../../../src/core/webhooks/settings.ts";
import { settingsProblems } from "../../../../src/core/webhooks/settings-problems.ts";
import fc from "../../../fast-check.ts";
import { SERVICES } from "../../../harness/webhook-services.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const signal = (name: string, facts: object, more: object = {}) => ({
  seq: 7,
  id: "s7.abcdef",
  signal: name,
  source: "ganglion/observations",
  ecosystem: "default",
  timestamp: "2026-01-31T12:00:00.000Z",
  received_at: "2026-01-31T12:00:00.000Z",
  facts,
  ...more,
});
const content = (data: unknown, more: Partial<WebhookContent> = {}): WebhookContent => ({
  id: "d-1",
  type: "rule.fired",
  timestamp: "2026-01-31T12:00:00.000Z",
  data,
  ecosystem: "default",
  endpoint: "alerts",
  rule: "page",
  cause: "s7.abcdef",
  edge: "https://edge.example.org",
  ...more,
});

const render = (format: keyof typeof SERVICES, about: WebhookContent, url = "https://ntfy.sh/topic") => {
  const settings: EndpointSettings = format === "pagerduty" ? { format, routing_key: KEY } : { format };
  return renderRequest(url, settings, about, undefined);
};
const parsed = (format: keyof typeof SERVICES, data: unknown) => {
  const { body } = render(format, content(data));
  return SERVICES[format].parse(JSON.parse(body));
};

const gap = (name: string, facts = {}) =>
  signal(name, { gap_name: "slow-writer", gap_reason: "p95 is 900 ms", alignment_score: 0.8, ...facts });

describe("a message for people", () => {
  it("tells of a gap, with its reason, its severity, and the page of its chain", () => {
    expect(noticeOf(content(gap("CAPABILITY_GAP")))).toMatchObject({
      title: "Gap slow-writer",
      text: "p95 is 900 ms",
      severity: "error",
      state: "raised",
      key: "ganglion/default/gap/slow-writer",
      link: "https://edge.example.org/app/default/chain/s7.abcdef",
    });
  });

  it.each([
    ["CAPABILITY_GAP", "CAPABILITY_GAP_RESOLVED", { gap_name: "g" }, { gap_name: "g" }],
    ["Q_AGENT_DOWN", "Q_AGENT_UP", { host: "h" }, { host: "h" }],
    [
      "Q_HEALTH_ALERT",
      "Q_HEALTH_ALERT",
      { host: "h", kind: "disk", subject: "/", state: "raised" },
      { host: "h", kind: "disk", subject: "/", state: "resolved" },
    ],
    [
      "Q_QUEUE_ALERT",
      "Q_QUEUE_ALERT",
      { queue: "q", rule: "depth", subject: null, state: "raised" },
      { queue: "q", rule: "depth", subject: null, state: "resolved" },
    ],
    [
      "Q_QUEUE_BREAKER",
      "Q_QUEUE_BREAKER",
      { queue: "q", recipient: "r", state: "open" },
      { queue: "q", recipient: "r", state: "closed" },
    ],
    [
      "Q_SESSION_WAITING",
      "Q_SESSION_RESUMED",
      { session: "s", agent: "claude-code", since: "2026-01-31T11:55:00.000Z", tool: "Bash" },
      { session: "s", agent: "claude-code", was: "waiting", seconds: 300, verdict: "working" },
    ],
    [
      "Q_SESSION_FROZEN",
      "Q_SESSION_RESUMED",
      { session: "s", agent: "codex", since: "2026-01-31T11:55:00.000Z", tool: null },
      { session: "s", agent: "codex", was: "frozen", seconds: 130, verdict: "ended" },
    ],
    ["X_MY_ALERT", "X_MY_ALERT", { dedup_key: "mine", status: "firing" }, { dedup_key: "mine", status: "resolved" }],
  ])("has one key where %s raises a matter and %s resolves it", (raising, resolving, raised, resolved) => {
    const [first, last] = [noticeOf(content(signal(raising, raised))), noticeOf(content(signal(resolving, resolved)))];
    expect([first.state, last.state, first.key]).toEqual(["raised", "resolved", last.key]);
  });

  it("tells a person which session waits, for what, since when and where", () => {
    const facts = {
      session: "s",
      agent: "claude-code",
      since: "2026-01-31T11:55:00.000Z",
      tool: "Bash",
      directory: "/home/me/app",
    };
    expect(noticeOf(content(signal("Q_SESSION_WAITING", facts)))).toMatchObject({
      title: "Session of claude-code waits for a person",
      text: "It asks for a permission to use Bash. Since 2026-01-31T11:55:00.000Z, in /home/me/app.",
      severity: "warning",
    });
    const over = { ...facts, was: "frozen", seconds: 130, verdict: "ended" };
    expect(noticeOf(content(signal("Q_SESSION_RESUMED", over)))).toMatchObject({
      title: "Resolved: Session of claude-code has ended",
      text: "It showed no sign of life for 130 s.",
    });
  });

  it("has words of its own for every signal that built-in rules send to an endpoint", () => {
    const sent = BUILT_IN_RULES.filter(({ then }) => then.some((effect) => "webhook" in effect));
    const named = sent.flatMap(({ when }) => when);
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => noticeOf(content(signal(name, {}))).title === name)).toEqual([]);
  });

  it("says what a rule's own body says", () => {
    const body = { title: "Disk full", text: "97 %", severity: "CRITICAL", link: "https://wiki/x", host: "gpu-01" };
    expect(noticeOf(content(body))).toMatchObject({
      title: "Disk full",
      text: "97 %",
      severity: "critical",
      link: "https://wiki/x",
      details: [
        ["severity", "CRITICAL"],
        ["host", "gpu-01"],
      ],
    });
    expect(noticeOf(content({ link: "javascript:alert(1)" })).link).toMatch(/^https:\/\/edge/);
    expect(noticeOf(content([1])).title).toBe("Rule page fired");
  });
});

const characters = fc.constantFrom("a", "&", "<", ">", "*", "_", "\\", "`", "@", "😀", "\n", "[", "|", " ");
const words = fc
  .string({ unit: characters, maxLength: 40 })
  .chain((text) => fc.constantFrom(1, 20, 150).map((times) => text.repeat(times)));

describe("what a service is sent", () => {
  const formats = ["slack", "discord", "teams", "pagerduty", "ntfy"] as const;
  it.each(formats)("keeps to the schema of %s, whatever the message says", (format) => {
    fc.assert(
      fc.property(
        words,
        words,
        fc.dictionary(
          words.map((text) => text.slice(0, 300)),
          words,
          { maxKeys: 12 },
        ),
        (title, text, more) => {
          for (const about of [
            content({ ...more, title, text }),
            content(
              signal("X_ANY", { ...more, title, text, state: "resolved" }, { source: title.slice(0, 256) || "x" }),
            ),
          ])
            SERVICES[format].parse(JSON.parse(render(format, about).body));
        },
      ),
      { numRuns: 20 },
    );
  });

  it("mentions nobody in Slack and Discord", () => {
    const data = { title: "<!channel> <@U1> & co", text: "@everyone <https://evil|x>" };
    expect(JSON.stringify(parsed("slack", data))).not.toMatch(/<[!@]|<https:\/\/evil/);
    expect(parsed("discord", data)).toMatchObject({ allowed_mentions: { parse: [] } });
  });

  it("shows a long text in Slack in sections, and cuts none of it in the midst", () => {
    const text = Array.from({ length: 100 }, (_, line) => `line ${line} of the report`).join("\n");
    const { blocks } = parsed("slack", { text }) as { blocks: { type: string; text?: { text: string } }[] };
    const shown = blocks
      .flatMap((block) => (block.type === "section" && block.text ? [block.text.text] : []))
      .join("\n");
    expect(shown).toContain(text);
  });

  it("raises and resolves one incident of PagerDuty", () => {
    const [raised, resolved] = [gap("CAPABILITY_GAP"), gap("CAPABILITY_GAP_RESOLVED")].map((it) =>
      parsed("pagerduty", it),
    );
    expect(raised).toMatchObject({
      event_action: "trigger",
      routing_key: KEY,
      payload: { summary: "Gap slow-writer: p95 is 900 ms", severity: "error" },
    });
    expect(resolved).toEqual({
      routing_key: KEY,
      client: "Ganglion",
      event_action: "resolve",
      dedup_key: "ganglion/default/gap/slow-writer",
    });
  });

  it("goes to the root of a server of ntfy, with the topic of the URL", () => {
    const { url, body } = render("ntfy", content(gap("CAPABILITY_GAP")), "https://push.example.org/ntfy/my-topic");
    expect([url, JSON.parse(body)]).toEqual([
      "https://push.example.org/ntfy/",
      {
        topic: "my-topic",
        title: "Gap slow-writer",
        message: "p95 is 900 ms",
        priority: 4,
        tags: ["red_circle", "ganglion/observations"],
        click: "https://edge.example.org/app/default/chain/s7.abcdef",
      },
    ]);
  });

  it("is the event of the signal as CloudEvents, and an event of its own where a rule says what to send", () => {
    const settings: EndpointSettings = { format: "cloudevents" };
    const event = (data: unknown) => JSON.parse(renderRequest("https://x/", settings, content(data), undefined).body);
    expect(event(signal("X", { n: 1 }, { cause: "c" }))).toMatchObject({
      type: "X",
      id: "s7.abcdef",
      data: { n: 1 },
      causationid: "c",
    });
    expect(event({ depth: 3 })).toEqual({
      specversion: "1.0",
      id: "d-1",
      source: "/ganglion/default/policies/page",
      type: "rule.fired",
      time: "2026-01-31T12:00:00.000Z",
      datacontenttype: "application/json",
      causationid: "s7.abcdef",
      data: { depth: 3 },
    });
  });
});

describe("a template", () => {
  const rendered = (source: string, data: unknown) => renderTemplate(compileTemplate(source), content(data));

  it("makes JSON of an object, and text of a text", () => {
    const data = signal("Q_QUEUE_ALERT", { depth: 101 });
    expect(rendered('{"text": signal + " " + string(facts.depth), "n": facts.depth + 1}', data)).toEqual({
      contentType: "application/json",
      body: '{"text":"Q_QUEUE_ALERT 101","n":102}',
    });
    expect(
      rendered('notice.severity + ": " + notice.title + " " + message.id', { title: "T", severity: "warn" }),
    ).toEqual({
      contentType: "text/plain; charset=utf-8",
      body: "warning: T d-1",
    });
  });

  it("fails on a message that lacks what it reads, and is refused where it is no expression", () => {
    expect(() => rendered("facts.absent", {})).toThrow(ExpressionError);
    expect(settingsProblems({ template: "facts." }, "https://x/")).toMatchObject([{ pointer: "/template" }]);
    expect(settingsProblems({ template: "1", format: "slack" }, "https://x/")).toMatchObject([
      { pointer: "/template" },
    ]);
  });

  it("is no part of what rules may read: message and notice are names of templates alone", async () => {
    const { compileExpression } = await import("../../../../src/core/policy/expression.ts");
    expect(() => compileExpression("message.id")).toThrow(ExpressionError);
  });
});

describe("settings that an endpoint lacks", () => {
  it("are named: the key of PagerDuty, the topic of ntfy", () => {
    expect(settingsProblems({ format: "pagerduty" }, "https://events.pagerduty.com/v2/enqueue")).toMatchObject([
      { pointer: "/routing_key" },
    ]);
    expect(settingsProblems({ format: "ntfy" }, "https://ntfy.sh/")).toMatchObject([{ pointer: "/topic" }]);
    expect(settingsProblems({ format: "ntfy", topic: "t" }, "https://ntfy.sh/")).toEqual([]);
  });
});
