import { Attention, AttentionItem, AttentionPage } from "../../core/attention/api.ts";

/** An older edge says neither what follows from a matter nor how many there are. */
const { cause, what, consequence, action, chain, effects_total } = AttentionItem.shape;
const AnyItem = AttentionItem.extend({
  cause: cause.default(""),
  what: what.default(""),
  consequence: consequence.default(""),
  action: action.default(null),
  chain: chain.default(null),
  effects_total: effects_total.default(0),
});
const { total, critical, left_out, unread } = Attention.shape;
const counts = {
  items: AnyItem.array().readonly(),
  total: total.default(0),
  critical: critical.default(0),
  left_out: left_out.default(0),
  unread: unread.default([]),
};
export const AnyAttention = Attention.extend(counts);
export const AnyAttentionPage = AttentionPage.extend(counts);
