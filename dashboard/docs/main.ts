import { type Field, hasWords, requestOf } from "./request.ts";

/** Adds to the page of the API: a search, and a form to try each call with. The page says everything without this script. */

/** An answer is shown up to this many characters; a stream goes on until then, or until it is stopped. */
const SHOWN_CHARS = 100_000;

const tools = document.getElementById("tools");
if (tools === null) throw new Error('the page has no element with the id "tools"');

const search = labelled("Search", "input", {
  type: "search",
  value: new URLSearchParams(location.search).get("q") ?? "",
});
const token = labelled("Token", "input", {
  type: "password",
  autocomplete: "off",
  placeholder: "none: the session of this browser",
});
tools.append(search.label, token.label);
const found = element("p", { role: "status", className: "quiet" });
tools.append(found);

const calls = [...document.querySelectorAll<HTMLDetailsElement>("section > details")];
search.field.addEventListener("input", show);
if (search.field.value !== "") show();

function show(): void {
  const words = search.field.value.trim();
  let shown = 0;
  for (const call of calls) {
    call.hidden = !hasWords(call.textContent ?? "", words);
    if (!call.hidden) shown++;
  }
  for (const section of document.querySelectorAll<HTMLElement>("section"))
    section.hidden = section.querySelector("section > details:not([hidden])") === null;
  found.textContent = words === "" ? "" : `${shown} of ${calls.length} match.`;
  const url = new URL(location.href);
  if (words === "") url.searchParams.delete("q");
  else url.searchParams.set("q", words);
  history.replaceState(null, "", url);
}

for (const call of calls) {
  if (!call.dataset.method) continue;
  // A form is made when somebody looks at its call: there are hundreds.
  call.addEventListener("toggle", () => call.querySelector("form") ?? call.append(formOf(call)));
}

function formOf(call: HTMLElement): HTMLFormElement {
  const { method = "", path = "" } = call.dataset;
  const form = element("form", {});
  const inputs = [...call.querySelectorAll<HTMLElement>("tr[data-name]")].map(({ dataset }) => {
    const { label, field } = labelled(dataset.name ?? "", "input", { value: dataset.example ?? "" });
    form.append(label);
    return { name: dataset.name ?? "", in: dataset.in ?? "", field };
  });
  const example = call.querySelector<HTMLElement>("pre[data-body]");
  const body = example === null ? undefined : labelled("Body", "textarea", { value: example.textContent ?? "" });
  if (body !== undefined) form.append(body.label);
  const send = element("button", { textContent: `Send ${method}` });
  const stop = element("button", { type: "button", textContent: "Stop", hidden: true });
  const answer = element("pre", { hidden: true, tabIndex: 0, ariaLabel: "Answer" });
  answer.setAttribute("role", "status");
  form.append(send, " ", stop, answer);
  let running = new AbortController();
  stop.addEventListener("click", () => running.abort());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    running.abort();
    running = new AbortController();
    const fields: Field[] = inputs.map(({ field, ...one }) => ({ ...one, value: field.value.trim() }));
    const type = example?.dataset.body ?? "";
    const text = body?.field.value ?? "";
    const sent = requestOf({
      method,
      path,
      fields,
      body: text === "" ? undefined : { type, text },
      token: token.field.value.trim(),
    });
    answer.hidden = false;
    if (typeof sent === "string") {
      answer.textContent = sent;
      return;
    }
    stop.hidden = false;
    const { signal } = running;
    void ask(sent, signal, answer).finally(() => {
      if (!signal.aborted) stop.hidden = true;
    });
  });
  return form;
}

async function ask(
  { url, ...init }: Exclude<ReturnType<typeof requestOf>, string>,
  signal: AbortSignal,
  place: HTMLElement,
) {
  place.textContent = "…";
  try {
    const response = await fetch(url, { ...init, signal });
    const head = `${response.status} ${response.statusText}\n${[...response.headers].map((one) => one.join(": ")).join("\n")}\n\n`;
    let text = "";
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
      text += part.value;
      place.textContent = head + text;
      if (text.length < SHOWN_CHARS) continue;
      place.textContent = `${head}${text.slice(0, SHOWN_CHARS)}…`;
      await reader?.cancel();
      return;
    }
    place.textContent = head + (readable(text) || "(no body)");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    place.append(signal.aborted ? "\n(stopped)" : `\nThe call failed: ${why}`);
  }
}

/** JSON over several lines, anything else as it is. */
function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function labelled<Tag extends "input" | "textarea">(
  text: string,
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]>,
): { readonly label: HTMLLabelElement; readonly field: HTMLElementTagNameMap[Tag] } {
  const label = element("label", {});
  const field = element(tag, properties);
  label.append(element("code", { textContent: text }), " ", field);
  return { label, field };
}

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]>,
): HTMLElementTagNameMap[Tag] {
  return Object.assign(document.createElement(tag), properties);
}
