import * as z from "zod";
import { PLANS } from "./prices.ts";

const BillLine = z.object({
  unit: z.string().meta({ description: "What is counted" }),
  used: z.number().meta({ description: "How much was used, or will be" }),
  usd: z.number().meta({ description: "US dollars for what exceeds the plan" }),
  list_usd: z.number().meta({ description: "US dollars at list prices, as if the plan included nothing" }),
});
export type BillLine = Readonly<z.infer<typeof BillLine>>;

const lines = <Of extends z.ZodType>(of: Of) =>
  z.object({
    worker_requests: of,
    worker_cpu: of,
    object_requests: of,
    duration: of,
    rows_written: of,
    rows_read: of,
    queue_operations: of,
    storage: of,
  });

/** What a time costs. */
export const Bill = z.object({
  from: z.string().meta({ description: "When the time begins" }),
  until: z.string().meta({ description: "When the time ends" }),
  lines: lines(BillLine).meta({ description: "The lines of the bill" }),
  plan_usd: z.number().meta({ description: "US dollars for the plan itself" }),
  usd: z.number().meta({ description: "US dollars in all, with the plan" }),
  list_usd: z.number().meta({ description: "US dollars in all at list prices" }),
});
export type Bill = Readonly<z.infer<typeof Bill>>;

const Allowance = z.object({
  included: z.number().nullable().meta({ description: "What the plan includes; null: without a limit" }),
  used: z.number().meta({ description: "How much of it was used" }),
  left: z.number().nullable().meta({ description: "How much of it is left; null: without a limit" }),
});
export type Allowance = Readonly<z.infer<typeof Allowance>>;

/** What an ecosystem uses and costs. */
export const Account = z.object({
  plan: z.enum(PLANS).meta({ description: "Cloudflare's plan, by the variable `PROFILE` of the deployment" }),
  today: Bill.meta({ description: "The present day (UTC), at list prices on the paid plan" }),
  month: Bill.meta({ description: "The present month (UTC) so far" }),
  forecast: Bill.meta({ description: "The present month at its end, if it goes on as it was counted so far" }),
  allowances: z
    .object({
      per: z.enum(["month", "day"]).meta({ description: "The time for which the plan includes these amounts" }),
      resets_at: z.string().meta({ description: "When the next such time begins" }),
      lines: lines(Allowance).meta({ description: "By the lines of the bill" }),
    })
    .meta({
      description: "What the plan includes, for all ecosystems of the account together, and what is left of it",
    }),
});
export type Account = Readonly<z.infer<typeof Account>>;
