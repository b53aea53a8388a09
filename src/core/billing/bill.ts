import type { Account, Allowance, Bill, BillLine } from "./api.ts";
import {
  type Amounts,
  INCLUDED,
  LINES,
  type Line,
  OBJECT_GB,
  PLAN_USD,
  type Plan,
  PRICES,
  UNIT_PRICES,
  UNITS,
} from "./prices.ts";
import type { Usage } from "./usage.ts";
import { DAY_MS, type DayUsage, dayOf, sumDays } from "./usage-days.ts";
import { QUEUE_MESSAGE_MS } from "./worker-cpu.ts";

/** The billed amounts behind counts. @param storageGb - as much as is stored now, taken for the whole time */
export function amountsOf(usage: Usage, storageGb: number): Amounts {
  return {
    worker_requests: usage.worker_requests + usage.queue_messages,
    worker_cpu: usage.worker_cpu_ms + usage.queue_messages * QUEUE_MESSAGE_MS,
    object_requests: usage.requests + usage.socket_messages / PRICES.socketMessagesPerRequest,
    duration: (usage.open_ms / 1_000) * OBJECT_GB,
    rows_written: usage.rows_written,
    rows_read: usage.rows_read,
    queue_operations: usage.queue_operations,
    storage: storageGb,
  };
}

/**
 * Today, this month, and this month at its end, where the rest of the month goes on as its counted part did. Nothing is
 * known of the time before counting began.
 */
export function accountOf(days: readonly DayUsage[], storageBytes: number, plan: Plan, nowMs: number): Account {
  const today = dayOf(nowMs);
  const monthStart = `${today.slice(0, 7)}-01`;
  const startMs = Date.parse(monthStart);
  const endMs = Date.UTC(Number(today.slice(0, 4)), Number(today.slice(5, 7)), 1);
  const dayStartMs = Date.parse(today);
  const storageGb = storageBytes / 1e9;
  const daily = sumDays(days, today, today);
  const monthly = sumDays(days, monthStart, today);
  const amountsToday = amountsOf(daily.usage, storageGb);
  const amounts = amountsOf(monthly.usage, storageGb);
  const counted = Math.max(Math.min(monthly.fromMs, nowMs), startMs);
  // A minute at least: the first signal is not a rate.
  const grown = 1 + (endMs - nowMs) / Math.max(60_000, nowMs - counted);
  const expected = mapLines((line) => (line === "storage" ? amounts.storage : amounts[line] * grown));
  const { per, amounts: included } = INCLUDED[plan];
  const used = per === "month" ? amounts : amountsToday;
  return {
    plan,
    today: bill(amountsToday, plan, "day", dayStartMs, nowMs),
    month: bill(amounts, plan, "month", startMs, nowMs),
    forecast: bill(expected, plan, "month", startMs, endMs),
    allowances: {
      per,
      resets_at: new Date(per === "month" ? endMs : dayStartMs + DAY_MS).toISOString(),
      lines: mapLines((line) => allowance(included[line], used[line])),
    },
  };
}

/** The bill of a month in which these amounts are used. */
export const monthlyBill = (amounts: Amounts, plan: Plan, fromMs = 0, untilMs = 0): Bill =>
  bill(amounts, plan, "month", fromMs, untilMs);

/** A day of the paid plan includes nothing: what a month includes is used up in its own time. */
function bill(amounts: Amounts, plan: Plan, over: "day" | "month", fromMs: number, untilMs: number): Bill {
  const lines = mapLines((line): BillLine => {
    // A gigabyte is priced for a month.
    const price = line === "storage" && over === "day" ? UNIT_PRICES.storage / 30 : UNIT_PRICES[line];
    const included = over === "month" ? INCLUDED.paid.amounts[line] : 0;
    const listUsd = amounts[line] * price;
    const usd = plan === "free" ? 0 : Math.max(0, amounts[line] - included) * price;
    return { unit: UNITS[line], used: amounts[line], usd, list_usd: listUsd };
  });
  const planUsd = plan === "free" || over === "day" ? 0 : PLAN_USD;
  const sum = (of: "usd" | "list_usd") => LINES.reduce((all, line) => all + lines[line][of], planUsd);
  const [from, until] = [new Date(fromMs).toISOString(), new Date(untilMs).toISOString()];
  return { from, until, lines, plan_usd: planUsd, usd: sum("usd"), list_usd: sum("list_usd") };
}

function allowance(included: number, used: number): Allowance {
  if (!Number.isFinite(included)) return { included: null, used, left: null };
  return { included, used, left: Math.max(0, included - used) };
}

function mapLines<Value>(value: (line: Line) => Value): Record<Line, Value> {
  return Object.fromEntries(LINES.map((line) => [line, value(line)])) as Record<Line, Value>;
}
