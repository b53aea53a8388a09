import { Attention, AttentionItem, AttentionPage } from "../../../core/attention/api.ts";
import { named } from "../http/schema-parts.ts";

const { items } = Attention.shape;
const ItemSchema = named("AttentionItem", AttentionItem);
const itemsSchema = ItemSchema.array()
  .readonly()
  .meta(items.meta() ?? {});
export const AttentionSchema = named("Attention", Attention.extend({ items: itemsSchema }));
export const AttentionPageSchema = named("AttentionPage", AttentionPage.extend({ items: itemsSchema }));
