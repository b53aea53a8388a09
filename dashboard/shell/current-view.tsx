import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { AttentionView } from "../attention/view.tsx";
import type { ViewName } from "../base/place.ts";
import { place } from "../base/router.ts";
import { Loading, Trouble } from "../parts/basics.tsx";

const loaded = signal<Readonly<Partial<Record<ViewName, ComponentType>>>>({ attention: AttentionView });
const failure = signal<unknown>(undefined);

/** The view that the URL names. One that fails is shown as failed, and the rest of the page goes on. */
export function CurrentView() {
  const { view, ecosystem, id } = place.value;
  useEffect(() => load(view), [view]);
  const View = loaded.value[view];
  if (View === undefined) {
    if (failure.value === undefined) return <Loading />;
    return <Trouble error={failure.value} retry={() => load(view)} />;
  }
  return (
    <Guarded key={`${view} ${ecosystem} ${id ?? ""}`}>
      <View />
    </Guarded>
  );
}

function Guarded({ children }: { readonly children: preact.ComponentChildren }) {
  const [error, reset] = useErrorBoundary();
  return error === undefined ? children : <Trouble error={error} retry={reset} />;
}

function load(view: ViewName): void {
  if (loaded.value[view] !== undefined) return;
  failure.value = undefined;
  import("./other-views.ts").then(
    ({ OTHER_VIEWS }) => {
      loaded.value = { ...loaded.value, ...OTHER_VIEWS };
    },
    (error: unknown) => {
      failure.value = error;
    },
  );
}
