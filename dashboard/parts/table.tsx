import type { ComponentChildren } from "preact";
import { Wide } from "./wide.tsx";

interface TableProps {
  /** For readers who do not see the table. */
  readonly label: string;
  readonly caption?: ComponentChildren;
  /** Heads of the columns; those of numbers stand to the right. */
  readonly columns: readonly (string | { readonly number: string })[];
  /** The rows. */
  readonly children: ComponentChildren;
}

/** A table that scrolls by itself where it is wider than the screen. */
export function Table({ label, caption, columns, children }: TableProps) {
  return (
    <Wide label={label}>
      <table>
        {caption !== undefined && <caption>{caption}</caption>}
        <thead>
          <tr>
            {columns.map((column) =>
              typeof column === "string" ? (
                <th key={column} scope="col">
                  {column}
                </th>
              ) : (
                <th key={column.number} scope="col" class="number">
                  {column.number}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </Wide>
  );
}
