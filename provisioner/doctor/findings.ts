// What the checks of `doctor` find. Pure.

/** `skip`: it was not checked, and the message says why. */
export const VERDICTS = ["ok", "warn", "fail", "skip"] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Finding {
  /** What was checked, in one word: `template`. */
  check: string;
  verdict: Verdict;
  /** May hold text of strangers. */
  message: string;
  /** What to do; null where nothing has to be done. */
  remedy: string | null;
}

export const ok = (check: string, message: string): Finding => ({ check, verdict: "ok", message, remedy: null });
export const skip = (check: string, message: string): Finding => ({ check, verdict: "skip", message, remedy: null });
export const warn = (check: string, message: string, remedy: string): Finding => ({
  check,
  verdict: "warn",
  message,
  remedy,
});
export const fail = (check: string, message: string, remedy: string): Finding => ({
  check,
  verdict: "fail",
  message,
  remedy,
});

/** How many findings have this verdict. */
export function countVerdicts(findings: readonly Finding[], verdict: Verdict): number {
  return findings.filter((finding) => finding.verdict === verdict).length;
}
