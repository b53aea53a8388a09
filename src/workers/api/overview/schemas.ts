import { Overview } from "../../../core/overview/api.ts";
import { ItemSchema } from "../attention/schemas.ts";
import { named } from "../http/schema-parts.ts";
import { GapSchema } from "../introspection/schemas.ts";

const { attention, gaps } = Overview.shape;
const items = ItemSchema.array()
  .readonly()
  .meta(attention.shape.items.meta() ?? {});
const openGaps = GapSchema.array()
  .readonly()
  .meta(gaps.shape.items.meta() ?? {});
export const OverviewSchema = named(
  "Overview",
  Overview.extend({
    attention: attention.extend({ items }).meta(attention.meta() ?? {}),
    gaps: gaps.extend({ items: openGaps }).meta(gaps.meta() ?? {}),
  }),
);
