/**
 * Defaults of the profile `free`, with which twenty hosts fit into what Cloudflare's free plan includes: this host measures
 * itself once a minute. What the file or the environment sets stays.
 */
const FREE_SAMPLE_SECONDS = 60;

/** Completes a document of settings by the defaults of its profile. What is no document stays as it is. */
export function withProfile(document: unknown): unknown {
  if (!isSection(document) || !isSection(document.host) || document.host.profile !== "free") return document;
  const { sampler = {} } = document;
  if (!isSection(sampler)) return document;
  return { ...document, sampler: { seconds: FREE_SAMPLE_SECONDS, ...sampler } };
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
