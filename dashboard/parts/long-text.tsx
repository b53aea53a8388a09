import type { ComponentChildren } from "preact";

interface LongTextProps {
  readonly label: string;
  readonly kind?: "diff" | "output";
  readonly children: ComponentChildren;
}

/** A text as it came. A long one scrolls, also by the arrow keys. */
export function LongText({ label, kind, children }: LongTextProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a reader without a mouse must reach what scrolls
    <section class={`json ${kind ?? ""}`} aria-label={label} tabIndex={0}>
      <pre>{children}</pre>
    </section>
  );
}
