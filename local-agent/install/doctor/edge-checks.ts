import * as z from "zod";
import { ALERTS_ENDPOINT } from "../../../src/core/policy/rule-packs.ts";
import { Export } from "../../../src/core/telemetry/api.ts";
import type { AgentSettings } from "../../config/settings.ts";
import { type DoctorFinding, error, ok, unknown, warning } from "./finding.ts";

const PATIENCE_MS = 5_000;
/** The edge refuses signals further in the future than the second limit; windows of rules may be as short as seconds. */
const SKEW_WARNING_MS = 2_000;
const SKEW_ERROR_MS = 60_000;

/** Checks that the edge answers, knows the token, and has the same time. Sends four requests at most. */
export async function edgeChecks(
  settings: Pick<AgentSettings, "url" | "token" | "ecosystem">,
): Promise<DoctorFinding[]> {
  const { url, ecosystem } = settings;
  const base = url.endsWith("/") ? url : `${url}/`;
  const askedMs = Date.now();
  let ready: Response;
  try {
    ready = await fetch(new URL("readyz", base), { signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (failure) {
    const cause = reasonOf(failure);
    return [
      error(
        "edge",
        `${url} does not answer (${cause})`,
        "start the edge, or set edge.url (GANGLION_URL) to its address",
      ),
      unknown("clock", "the edge does not answer, and this machine has no other clock to compare with"),
      unknown("token", "the edge does not answer, and it alone knows the token"),
    ];
  }
  const findings = [
    ready.ok
      ? ok("edge", `${url} answers in ${Date.now() - askedMs} ms`)
      : error("edge", `${url} answers ${ready.status} to /readyz`, "see the log of the edge, or check edge.url"),
    clockFinding(ready.headers.get("date"), askedMs, Date.now()),
  ];
  if (!ready.ok) return [...findings, unknown("token", `the edge is not ready (${ready.status})`)];
  const signals = new URL(`v1/${ecosystem}/signals?limit=1`, base);
  const answer = await fetch(signals, {
    headers: { authorization: `Bearer ${settings.token()}` },
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch((failure: unknown) => reasonOf(failure));
  if (typeof answer === "string") return [...findings, unknown("token", answer)];
  findings.push(tokenFinding(answer.status, ecosystem));
  if (answer.status === 200)
    findings.push(await alertsFinding(settings, base), ...(await exportFindings(settings, base)));
  return findings;
}

const Endpoints = z.object({ webhooks: z.array(z.looseObject({ id: z.string(), enabled: z.boolean() })) });

/** The built-in rules of operations go to the endpoint `alerts`: without it a host that is down is told to nobody. */
async function alertsFinding(
  { ecosystem, token }: Pick<AgentSettings, "token" | "ecosystem">,
  base: string,
): Promise<DoctorFinding> {
  try {
    const answer = await fetch(new URL(`v1/${ecosystem}/webhooks`, base), {
      headers: { authorization: `Bearer ${token()}` },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!answer.ok) return unknown("alerts", `the edge answers ${answer.status} to the list of webhooks`);
    const { webhooks } = Endpoints.parse(await answer.json());
    if (webhooks.some(({ id, enabled }) => id === ALERTS_ENDPOINT && enabled))
      return ok(
        "alerts",
        `the webhook endpoint ${ALERTS_ENDPOINT} is told of hosts that are down and agents that were given up`,
      );
    return warning(
      "alerts",
      `there is no webhook endpoint ${ALERTS_ENDPOINT}: nobody is told of hosts that are down, full disks and agents that were given up`,
      `add one: ganglion webhooks add ${ALERTS_ENDPOINT} <url>; or switch these rules off: ganglion policy packs disable operations`,
    );
  } catch (failure) {
    return unknown("alerts", reasonOf(failure));
  }
}

/** Nothing is said of an export that is off, or that an edge of an earlier version does not know. */
async function exportFindings(
  { ecosystem, token }: Pick<AgentSettings, "token" | "ecosystem">,
  base: string,
): Promise<DoctorFinding[]> {
  try {
    const answer = await fetch(new URL(`v1/${ecosystem}/telemetry/export`, base), {
      headers: { authorization: `Bearer ${token()}` },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.status === 404) return [];
    if (!answer.ok) return [unknown("export", `the edge answers ${answer.status} to the question for the export`)];
    const { enabled, health } = Export.parse(await answer.json());
    if (!enabled || health === undefined) return [];
    const { failing_since, last_error, exported, waiting } = health;
    if (failing_since === undefined) return [ok("export", `${exported} spans are exported, ${waiting} wait`)];
    return [
      warning(
        "export",
        `fails since ${failing_since}: ${last_error ?? "the receiver takes nothing"}; ${waiting} spans wait`,
        "see what the receiver answers: ganglion export test",
      ),
    ];
  } catch (failure) {
    return [unknown("export", reasonOf(failure))];
  }
}

function reasonOf(failure: unknown): string {
  const { cause, message } = failure as Error & { cause?: Error };
  return cause?.message || message;
}

function tokenFinding(status: number, ecosystem: string): DoctorFinding {
  if (status === 200)
    return ok("token", `valid for the ecosystem ${ecosystem}: it may read; whether it may write is not tried`);
  if (status === 401)
    return error("token", "the edge does not know the token (401)", "create one: ganglion tokens create");
  if (status === 403)
    return error(
      "token",
      `the token lacks the scope signals:read or the ecosystem ${ecosystem} (403)`,
      "create one with the scopes signals:write and signals:read for this ecosystem",
    );
  if (status === 429 || status >= 500)
    return unknown("token", `the edge answered ${status} and did not say whether it knows the token`, "try again");
  return error("token", `the edge answered ${status}`, "check edge.url and edge.ecosystem");
}

/**
 * Computes the least difference of the clocks that explains the answer: the edge wrote `Date`, in whole seconds rounded
 * down, at some moment between request and answer, and a slow answer does not mean a wrong clock.
 */
export function clockFinding(date: string | null, askedMs: number, answeredMs: number): DoctorFinding {
  const edgeMs = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(edgeMs)) return unknown("clock", "the edge, or a proxy before it, sends no time");
  const skewMs = Math.max(askedMs - (edgeMs + 999), 0) + Math.min(answeredMs - edgeMs, 0);
  const seconds = `${(Math.abs(skewMs) / 1000).toFixed(1)} s ${skewMs > 0 ? "ahead of" : "behind"} the edge`;
  if (Math.abs(skewMs) <= SKEW_WARNING_MS) return ok("clock", `within ${SKEW_WARNING_MS / 1000} s of the edge's`);
  const fix = "set the clock over the network: timedatectl set-ntp true";
  return Math.abs(skewMs) > SKEW_ERROR_MS
    ? error("clock", `this machine is ${seconds}`, fix)
    : warning("clock", `this machine is ${seconds}`, fix);
}
