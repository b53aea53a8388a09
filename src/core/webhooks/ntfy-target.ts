export const NTFY_TOPIC = /^[-_A-Za-z0-9]{1,64}$/;

/** Where JSON is published, and the topic: people know both as one URL, `https://ntfy.sh/topic`. */
export function ntfyTarget(
  url: string,
  topic: string | undefined,
): { readonly url: string; readonly topic: string } | undefined {
  if (topic !== undefined) return { url, topic };
  const target = new URL(url);
  const [, parents = "", last = ""] = /^(.*\/)([^/]*)\/?$/.exec(target.pathname) ?? [];
  if (!NTFY_TOPIC.test(last)) return undefined;
  target.pathname = parents;
  return { url: target.href, topic: last };
}
