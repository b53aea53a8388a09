/** How something stands. Each has a mark beside its colour. */
export type Tone = "critical" | "warning" | "notice" | "good" | "calm";
