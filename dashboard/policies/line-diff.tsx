import { useMemo } from "preact/hooks";
import { LongText } from "../parts/long-text.tsx";
import { lineChanges } from "./lines.ts";

const MARKS = { same: " ", added: "+", removed: "-" } as const;

/** Two texts line by line; the mark at the beginning says what the colour says. */
export function LineDiff({
  title,
  before,
  after,
}: {
  readonly title: string;
  readonly before: string;
  readonly after: string;
}) {
  const changes = useMemo(() => lineChanges(before, after), [before, after]);
  return (
    <div>
      <h2>{title}</h2>
      <LongText label={title} kind="diff">
        {changes.map(({ kind, text }, place) => (
          <span key={place} class={kind}>
            {MARKS[kind]} {text}
            {"\n"}
          </span>
        ))}
      </LongText>
    </div>
  );
}
