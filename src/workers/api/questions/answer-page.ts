import type { Context } from "hono";
import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Question } from "../../../core/questions/api.ts";
import type { QuestionState } from "../../../core/questions/state.ts";
import { endText } from "../../../core/questions/view.ts";
import { ECOSYSTEM_NAME } from "../../../core/signals/signal.ts";
import { questions } from "../../bindings/objects.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { countFailure, refuseBlocked } from "../http/attempt-limits.ts";
import { readSentBytes } from "../http/body.ts";
import type { Refusal } from "../http/refusal.ts";
import { newApi } from "../http/route.ts";
import { ecosystemExists } from "../inbox/door.ts";

const PATH = "/v1/:eco/answer/:link";
const MAX_BODY_BYTES = 32_768;

const STYLE =
  "body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}" +
  "h1{font-size:1.25rem;white-space:pre-wrap;overflow-wrap:anywhere}pre{overflow:auto;padding:.75rem;border:1px solid}" +
  "button{font:inherit;padding:.6rem 1.2rem;margin:.25rem .5rem .25rem 0}textarea{font:inherit;width:100%;box-sizing:border-box}";

/**
 * The page of a link by which somebody answers without a token. Previews of chats open links: opening shows the question, and
 * its POST alone answers. A link is the right to answer, so nothing passes it on: no referrer, no script, no cache, no frame.
 */
export const answerPage = newApi();

answerPage.get(PATH, async (c) => {
  const { known } = await openLink(c);
  return known.question.state === "open"
    ? page(200, known.question.question, asking(known.question))
    : page(410, "This question is over", ended(known.state));
});

answerPage.post(PATH, async (c) => {
  const { known, link, eco } = await openLink(c);
  const text = await answerIn(c.req.raw);
  if (text === undefined || text.length > 4_000)
    return page(422, known.question.question, asking(known.question, NO_ANSWER));
  const reply = await questions(c.env, eco).answerByLink(link, text);
  // The question was there a moment ago, and the link signed for it.
  if (reply === null || "foreign" in reply) throw await unknown(c);
  if (!("refused" in reply)) return page(200, "Thank you", html`<p>Your answer is "${reply.question.answer}".</p>`);
  if (reply.refused === "option") return page(422, reply.question.question, asking(reply.question, NO_OPTION));
  return page(409, "This question is over", ended(reply.state));
});

const NO_ANSWER = "Give an answer of 4,000 characters at most.";
const NO_OPTION = "Choose one of the answers.";

/** What the link shows. @throws Refusal where it is none of this edge, alike for all reasons */
async function openLink(c: Context<ApiEnv>) {
  refuseBlocked(c.req.header("cf-connecting-ip"), Date.now());
  const { eco = "", link = "" } = c.req.param() as { eco?: string; link?: string };
  if (!ECOSYSTEM_NAME.test(eco) || !(await ecosystemExists(c.env, eco))) throw await unknown(c);
  const known = await questions(c.env, eco).linked(link);
  if (known === null) throw await unknown(c);
  return { known, link, eco };
}

/** Whoever makes links up is slowed down as whoever makes tokens up. */
async function unknown(c: Context<ApiEnv>): Promise<Refusal | LinkRefused> {
  const refusal = await countFailure(c.env, c.req.header("cf-connecting-ip"), Date.now());
  return refusal.problem.status === 401 ? new LinkRefused() : refusal;
}

/** The link is not one of this edge's. Its own answer is a page: a person may read it. */
class LinkRefused extends Error {}

answerPage.onError((error) => {
  if (!(error instanceof LinkRefused)) throw error;
  return page(
    403,
    "This link is not valid",
    html`<p>It is not whole, or its question was taken away or changed. Ask for a new one, or answer with the command
      <code>ganglion questions</code>.</p>`,
  );
});

async function answerIn(request: Request): Promise<string | undefined> {
  const bytes = await readSentBytes(request);
  if (bytes.length > MAX_BODY_BYTES) return undefined;
  const answer = new URLSearchParams(new TextDecoder().decode(bytes)).get("answer")?.replaceAll("\r\n", "\n").trim();
  return answer === "" ? undefined : answer;
}

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

function asking({ options, context, asked_by, expires_at, recipient }: Question, wrong?: string): Html {
  // Without an action a form goes to the address of its page.
  const form =
    options === null
      ? html`<form method="post"><p><label>Your answer<br><textarea name="answer" rows="4" maxlength="4000" required></textarea></label></p>
          <button>Answer</button></form>`
      : html`<form method="post">${options.map((option) => html`<button name="answer" value="${option}">${option}</button>`)}</form>`;
  return html`${wrong === undefined ? "" : html`<p role="alert">${wrong}</p>`}
<p>Asked by ${asked_by}, for ${recipient}, until ${expires_at}. The first answer counts.</p>
${context === undefined ? "" : html`<pre>${JSON.stringify(context, null, 2)}</pre>`}
${form}`;
}

const ended = (state: QuestionState): Html => html`<p>${state.question}</p><p>${endText(state)}</p>`;

async function page(status: number, title: string, body: Html): Promise<Response> {
  const text = await html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex, nofollow"><title>Ganglion asks</title>
<style>${STYLE}</style></head>
<body><main><h1>${title}</h1>${await body}</main></body></html>`;
  const policy = `default-src 'none'; style-src '${await styleHash()}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
  return new Response(String(text), {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": policy,
      "Cache-Control": "no-store",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
      "X-Robots-Tag": "noindex, nofollow",
    },
  });
}

let hashed: Promise<string> | undefined;
const styleHash = (): Promise<string> => {
  hashed ??= crypto.subtle
    .digest("SHA-256", new TextEncoder().encode(STYLE))
    .then((digest) => `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`);
  return hashed;
};
