import * as z from "zod";
import {
  CloseRequest,
  Limit,
  LimitPage,
  ReserveAnswer,
  ReserveRequest,
  SettleAnswer,
  SettleRequest,
} from "../../../../core/limits/api.ts";
import { BudgetPage, SpendingBudget } from "../../../../core/limits/budgets/api.ts";
import { BudgetInput } from "../../../../core/limits/budgets/settings.ts";
import { LimitInput } from "../../../../core/limits/settings.ts";
import { path } from "../edge-calls.ts";
import { defineTool, READS } from "../tool.ts";

/** Below the time after which clients give a call up. */
const MAX_WAIT_MS = 25_000;

const name = z.string().min(1).max(63).meta({ description: "Name of the limit, such as anthropic" });

const listLimits = defineTool({
  name: "list_limits",
  title: "List limits",
  description:
    "What may be asked of each provider by all agents together, what is used of it, and which are closed until when.",
  operations: ["listLimits"],
  scopes: ["tasks:read"],
  annotations: READS,
  args: z.strictObject({}),
  answer: LimitPage,
  run: (_, edge) => edge({ method: "GET", path: "/limits" }),
});

const reserveLimit = defineTool({
  name: "reserve_limit",
  title: "Reserve a part of a limit",
  description:
    "Before you call a provider: asks for the most that the call may use. With `granted` false do not call it: `closed_until` says when " +
    "to ask again, and `final` that asking is in vain. Settle what was granted with settle_limit.",
  operations: ["reserveLimit"],
  scopes: ["tasks:work"],
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  args: z.strictObject({
    name,
    ...ReserveRequest.shape,
    wait_ms: z.int().min(0).max(MAX_WAIT_MS).default(0).meta({ description: "How long to wait for it; default 0" }),
  }),
  answer: ReserveAnswer,
  run: ({ name, ...body }, edge) => edge({ method: "POST", path: path`/limits/${name}/reserve`, body }),
});

const settleLimit = defineTool({
  name: "settle_limit",
  title: "Settle a reservation",
  description:
    "After the call: says what it has really used, and how the provider answered. A status 429 closes the limit for all until the " +
    "provider's reset. Said again it changes nothing.",
  operations: ["settleLimit"],
  scopes: ["tasks:work"],
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  args: z.strictObject({ name, ...SettleRequest.shape }),
  answer: SettleAnswer,
  run: ({ name, ...body }, edge) => edge({ method: "POST", path: path`/limits/${name}/settle`, body }),
});

const closeLimit = defineTool({
  name: "close_limit",
  title: "Close a limit",
  description:
    "Closes a limit for all agents, because its provider takes no more for now. Tasks that name it are parked until then.",
  operations: ["closeLimit"],
  scopes: ["tasks:work"],
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  args: z.strictObject({ name, ...CloseRequest.shape }),
  answer: Limit,
  run: ({ name, ...body }, edge) => edge({ method: "POST", path: path`/limits/${name}/close`, body }),
});

const listBudgets = defineTool({
  name: "list_budgets",
  title: "List budgets",
  description:
    "What each agent, task or chain may use of the limits, or all together, and who has used most of each budget.",
  operations: ["listSpendingBudgets"],
  scopes: ["tasks:read"],
  annotations: READS,
  args: z.strictObject({}),
  answer: BudgetPage,
  run: (_, edge) => edge({ method: "GET", path: "/budgets" }),
});

/** It replaces what was set before. Said again it changes nothing. */
const SETS = { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false };

const setLimit = defineTool({
  name: "set_limit",
  title: "Set a limit",
  description:
    "Says what may be asked of a provider by all agents together. All settings are replaced: give those of list_limits that are to " +
    "stay. What is used and held stays.",
  operations: ["putLimit"],
  scopes: ["policy:write"],
  annotations: SETS,
  args: z.strictObject({ name, ...LimitInput.shape }),
  answer: Limit,
  run: ({ name, ...body }, edge) => edge({ method: "PUT", path: path`/limits/${name}`, body }),
});

const setBudget = defineTool({
  name: "set_budget",
  title: "Set a budget",
  description:
    "Says what each agent, task or chain, or all together, may use of the limits in a day or for life, in tokens or US dollars. All " +
    "settings are replaced; what was used stays, unless `scope` or `per` is another.",
  operations: ["putSpendingBudget"],
  scopes: ["policy:write"],
  annotations: SETS,
  args: z.strictObject({
    name: z.string().min(1).max(63).meta({ description: "Name of the budget, such as coders" }),
    ...BudgetInput.shape,
  }),
  answer: SpendingBudget,
  run: ({ name, ...body }, edge) => edge({ method: "PUT", path: path`/budgets/${name}`, body }),
});

/** What may be asked of providers, and what agents may use of it. */
export const limitTools = [listLimits, reserveLimit, settleLimit, closeLimit, listBudgets, setLimit, setBudget];
