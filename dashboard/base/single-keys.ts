import { signal } from "@preact/signals";

const KEY = "ganglion.single-keys";

/** Whether a key without a modifier acts. */
export const singleKeys = signal(localStorage.getItem(KEY) !== "off");

export function switchSingleKeys(): void {
  singleKeys.value = !singleKeys.value;
  localStorage.setItem(KEY, singleKeys.value ? "on" : "off");
}
