import { Attention, AttentionAction, AttentionItem, AttentionPage } from "../../../core/attention/api.ts";
import { named } from "../http/schema-parts.ts";

const { items } = Attention.shape;
const ActionSchema = named("AttentionAction", AttentionAction);
export const ItemSchema = named(
  "AttentionItem",
  AttentionItem.extend({ action: ActionSchema.nullable().meta(AttentionItem.shape.action.meta() ?? {}) }),
);
const itemsSchema = ItemSchema.array()
  .readonly()
  .meta(items.meta() ?? {});
export const AttentionSchema = named("Attention", Attention.extend({ items: itemsSchema }));
export const AttentionPageSchema = named("AttentionPage", AttentionPage.extend({ items: itemsSchema }));
