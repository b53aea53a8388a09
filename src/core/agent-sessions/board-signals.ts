/** The signals of sessions, for whoever follows them. */
export const SESSION_SIGNALS = ["Q_SESSION_*"] as const;

/** What the edge itself tells of sessions. */
const NOTICES: ReadonlySet<string> = new Set(["Q_SESSION_WAITING", "Q_SESSION_FROZEN", "Q_SESSION_RESUMED"]);

export const isSessionSignal = (name: string): boolean => name.startsWith("Q_SESSION_");
export const isSessionNotice = (name: string): boolean => NOTICES.has(name);
