import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ApiProblem, EdgeUnreachable } from "../../src/client/http/problem-errors.ts";
import { takeArrival } from "../base/router.ts";
import { now } from "../base/time.ts";
import { LongText } from "./long-text.tsx";
import type { Tone } from "./tone.ts";
import { exact, reasonOf, relative } from "./words.ts";

/** A time as people say it; the exact one is on the hover, and for programs. */
export function When({ at }: { readonly at: string | null | undefined }) {
  if (at === null || at === undefined) return <span class="faint">unknown</span>;
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={exact(at)}>
      {Number.isNaN(ms) ? at : relative(ms, now.value)}
    </time>
  );
}

/** A mark for each tone, so that none is told by its colour alone. */
const MARKS: Readonly<Record<Tone, string>> = { critical: "▲", warning: "◆", notice: "●", good: "✓", calm: "○" };

/** A word with a mark and a colour. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true" class="mark">
        {MARKS[tone]}
      </span>
      {children}
    </span>
  );
}

/** What stands where there is nothing: why, and what to do next. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** Why something cannot be shown, and what helps. */
export function Trouble({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  return (
    <div class="trouble" role="alert">
      <p>
        <strong>{titleOf(error)}</strong> {reasonOf(error)}
      </p>
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

function titleOf(error: unknown): string {
  if (error instanceof EdgeUnreachable) return "The edge does not answer.";
  if (error instanceof ApiProblem && error.problem.status === 403) return "This session may not do that.";
  return "That did not work.";
}

/** What is shown of something that is asked for: its value, that it is on its way, or why it is not. */
export function Loaded<Value>(props: {
  readonly of: { readonly value: Value | undefined; readonly error: unknown; readonly reload: () => void };
  readonly children: (value: Value) => ComponentChildren;
}) {
  const { value, error, reload } = props.of;
  return (
    <>
      {error !== undefined && !(error instanceof EdgeUnreachable && value !== undefined) && (
        <Trouble error={error} retry={reload} />
      )}
      {value === undefined ? error === undefined && <Loading /> : props.children(value)}
    </>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      Loading…
    </p>
  );
}

/** A name and its value, many of them. One without a value is left out. */
export function Facts({ of }: { readonly of: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {of.map(
        ([name, value]) =>
          value != null && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** Any JSON value, over several lines. */
export function Json({ value, label }: { readonly value: unknown; readonly label: string }) {
  return <LongText label={label}>{typeof value === "string" ? value : JSON.stringify(value, null, 2)}</LongText>;
}

/** The head of a view: its name, what it is about in a line, and its controls. */
export function Head(props: {
  readonly title: string;
  readonly about?: ComponentChildren;
  readonly children?: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Who came by a link is read the name of the new view.
  useEffect(() => {
    if (takeArrival()) heading.current?.focus();
  }, []);
  return (
    <header class="head">
      <div class="head-text">
        <h1 ref={heading} tabIndex={-1}>
          {props.title}
        </h1>
        {props.about !== undefined && <p class="about">{props.about}</p>}
      </div>
      {props.children !== undefined && <div class="head-tools">{props.children}</div>}
    </header>
  );
}
