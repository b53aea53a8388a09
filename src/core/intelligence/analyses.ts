/** What a request asks for. */
export const ANALYSES = [
  "QUALITY_ASSESSMENT",
  "ONEX_COMPLIANCE",
  "ARCHITECTURAL_COMPLIANCE",
  "COMPREHENSIVE_ANALYSIS",
] as const;

/** Most patterns in one answer. */
export const MAX_PATTERNS = 500;
