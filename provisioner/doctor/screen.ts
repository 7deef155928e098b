// The findings as text: a line for each, and what to do about it below. Pure.
import { oneLine, type Style } from "../../common/terminal.ts";
import { countVerdicts, type Finding, VERDICTS, type Verdict } from "./findings.ts";

const STYLES: Readonly<Record<Verdict, Style>> = { ok: "green", warn: "yellow", fail: "red", skip: "dim" };
const VERDICT_WIDTH = Math.max(...VERDICTS.map((verdict) => verdict.length));

/** `paint` colours a text where the screen shows colours. */
export function doctorText(findings: readonly Finding[], paint: (style: Style, text: string) => string): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, verdict, message, remedy }) => {
    const head = `${paint(STYLES[verdict], verdict.padEnd(VERDICT_WIDTH))}  ${check.padEnd(width)}  ${oneLine(message)}`;
    return remedy === null ? [head] : [head, `${" ".repeat(VERDICT_WIDTH + width + 4)}-> ${oneLine(remedy)}`];
  });
  return `${lines.join("\n")}\n${summaryOf(findings)}\n`;
}

/** The names of the checks that failed or warn. */
export function doctorNames(findings: readonly Finding[]): string {
  const wrong = findings.filter(({ verdict }) => verdict === "fail" || verdict === "warn");
  return [...new Set(wrong.map(({ check }) => check))].map((check) => `${check}\n`).join("");
}

function summaryOf(findings: readonly Finding[]): string {
  const [failed, warnings] = [countVerdicts(findings, "fail"), countVerdicts(findings, "warn")];
  if (failed === 0 && warnings === 0) return "nothing is wrong";
  return `${failed} failed, ${warnings} warning${warnings === 1 ? "" : "s"}`;
}
