import { useMemo } from "preact/hooks";
import { counted, duration } from "../parts/words.ts";
import type { Chain } from "./chain.ts";
import { lanesOf } from "./lane-layout.ts";

interface LanesProps {
  readonly chain: Chain;
  readonly selected: string;
  readonly onSelect: (key: string) => void;
}

/** The chain over time: a lane for each source. The list below says the same in words, and is what a keyboard walks. */
export function Lanes({ chain, selected, onSelect }: LanesProps) {
  const lanes = useMemo(() => lanesOf(chain), [chain]);
  return (
    <figure class="lanes">
      <figcaption class="lane-scale">
        <span>0</span>
        <span>{duration((chain.untilMs - chain.fromMs) / 2)}</span>
        <span>{duration(chain.untilMs - chain.fromMs)}</span>
      </figcaption>
      {lanes.map(({ name, marks, hidden }) => (
        <div key={name} class="lane">
          <span class="lane-name" title={name}>
            {name}
          </span>
          <div class="lane-line">
            {marks.map(({ key, title, x, state, asked }) => (
              <button
                key={key}
                type="button"
                tabIndex={-1}
                class={`lane-mark ${state} ${asked ? "asked" : ""} ${key === selected ? "selected" : ""}`}
                style={{ left: `${(x * 100).toFixed(2)}%` }}
                title={title}
                aria-label={title}
                onClick={() => onSelect(key)}
              />
            ))}
          </div>
          <span class="faint lane-more" title={hidden > 0 ? `${counted(hidden, "more step")} at the same places` : ""}>
            {hidden > 0 ? `+${hidden}` : ""}
          </span>
        </div>
      ))}
    </figure>
  );
}
