import { signal } from "@preact/signals";
import { VIEWS } from "../base/place.ts";
import { singleKeys, switchSingleKeys } from "../base/single-keys.ts";
import { Dialog } from "../parts/dialog.tsx";

export const helpOpen = signal(false);

/** The keys, and the switch that turns off those without a modifier: they get in the way of some ways to type. */
export function Help() {
  if (!helpOpen.value) return null;
  const close = () => {
    helpOpen.value = false;
  };
  return (
    <Dialog title="Keys" onClose={close}>
      <dl class="keys">
        <Key keys="Ctrl K">open anything by name or id</Key>
        <Key keys="/">to the filter</Key>
        <Key keys="j k">to the next, the previous</Key>
        <Key keys="↑ ↓ Enter">in a list: choose, open</Key>
        <Key keys="Esc">close what is chosen</Key>
        <Key keys="t">light, dark, as the machine</Key>
        {VIEWS.map(({ key, title }) => (
          <Key key={key} keys={`g ${key}`}>
            {title}
          </Key>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={singleKeys.value} onChange={switchSingleKeys} /> Keys without Ctrl act at once
      </label>
    </Dialog>
  );
}

function Key({ keys, children }: { readonly keys: string; readonly children: string }) {
  return (
    <div>
      <dt>
        {keys.split(" ").map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}
