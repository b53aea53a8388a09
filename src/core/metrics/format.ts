/** `text`: Prometheus' own format, version 0.0.4; `openmetrics`: OpenMetrics 1.0.0. */
export type MetricsFormat = "text" | "openmetrics";

/** Prometheus 3 refuses answers without the exact type. */
export const METRICS_TYPES: Readonly<Record<MetricsFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

interface Wanted {
  readonly format: MetricsFormat;
  readonly quality: number;
  /** How exactly the type is named: a wildcard is worth less than the type itself. */
  readonly exactness: number;
}

/**
 * The format that a client prefers by its `Accept`; the older one where it names none of them, which every client reads.
 *
 * @see RFC 9110, section 12.5.1
 */
export function metricsFormat(accept: string | undefined): MetricsFormat {
  const wanted = (accept ?? "").split(",").flatMap(rangeOf);
  const qualityOf = (format: MetricsFormat) => {
    const ranges = wanted.filter((one) => one.format === format);
    const exactest = Math.max(...ranges.map(({ exactness }) => exactness));
    return Math.max(0, ...ranges.filter(({ exactness }) => exactness === exactest).map(({ quality }) => quality));
  };
  return qualityOf("openmetrics") > qualityOf("text") ? "openmetrics" : "text";
}

function rangeOf(text: string): Wanted[] {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const given = new Map(parameters.map((one) => pairOf(one)));
  const quality = given.has("q") ? Number(given.get("q")) : 1;
  if (!(quality >= 0 && quality <= 1)) return [];
  const version = given.get("version");
  const exactly = (format: MetricsFormat, versions: readonly string[]): Wanted[] => {
    if (version === undefined) return [{ format, quality, exactness: 2 }];
    return versions.includes(version) ? [{ format, quality, exactness: 3 }] : [];
  };
  switch (type) {
    case "application/openmetrics-text":
      return exactly("openmetrics", ["1.0.0", "0.0.1"]);
    case "text/plain":
      return exactly("text", ["0.0.4"]);
    case "application/*":
      return [{ format: "openmetrics", quality, exactness: 1 }];
    case "text/*":
      return [{ format: "text", quality, exactness: 1 }];
    case "*/*":
      return [
        { format: "text", quality, exactness: 0 },
        { format: "openmetrics", quality, exactness: 0 },
      ];
    default:
      return [];
  }
}

function pairOf(parameter: string): [name: string, value: string] {
  const [name = "", value = ""] = parameter.split("=", 2);
  return [name.trim(), value.trim().replace(/^"(.*)"$/, "$1")];
}
