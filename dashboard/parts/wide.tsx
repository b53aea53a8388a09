import type { ComponentChildren } from "preact";

/** What may be wider than the screen scrolls by itself, also by the arrow keys, and the page does not. */
export function Wide({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a reader without a mouse must reach what scrolls
    <section class="scroll-x" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
