import {
  CloseRequest,
  Limit,
  LimitPage,
  ReserveAnswer,
  ReserveRequest,
  SettleAnswer,
  SettleRequest,
} from "../../../core/limits/api.ts";
import { BudgetPage, SpendingBudget } from "../../../core/limits/budgets/api.ts";
import { BudgetInput } from "../../../core/limits/budgets/settings.ts";
import { LimitInput } from "../../../core/limits/settings.ts";
import { named } from "../http/schema-parts.ts";

export const LimitSchema = named("Limit", Limit);
export const LimitsSchema = named("Limits", LimitPage);
export const NewLimitSchema = named("NewLimit", LimitInput);
export const ReserveSchema = named("Reserve", ReserveRequest);
export const ReservationSchema = named("Reservation", ReserveAnswer);
export const SettleSchema = named("Settle", SettleRequest);
export const SettlementSchema = named("Settlement", SettleAnswer);
export const CloseLimitSchema = named("CloseLimit", CloseRequest);
export const SpendingBudgetSchema = named("SpendingBudget", SpendingBudget);
export const SpendingBudgetsSchema = named("SpendingBudgets", BudgetPage);
export const NewSpendingBudgetSchema = named("NewSpendingBudget", BudgetInput);
