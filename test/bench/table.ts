// Formats the results of a bench as a Markdown table. Pure.
import { type Goal, type Measured, type Quantity, type ResultLine, ratioOf, verdictOf } from "./result-line.ts";

const HEAD = ["what", "ours", "measured against", "ratio", "goal"] as const;

/** One line for each row, with aligned columns. */
export function formatTable(lines: readonly ResultLine[]): string[] {
  const rows = [HEAD, ...lines.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const text = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  const [head = "", ...body] = rows.map(text);
  return [head, rule, ...body];
}

function cells(line: ResultLine): readonly string[] {
  if ("notMeasured" in line) return [line.what, `not measured: ${line.notMeasured}`, "", "", ""];
  const { what, ours, against } = line;
  const ratio = ratioOf(line);
  return [
    what,
    formatQuantity(ours),
    against === null ? "" : `${formatQuantity(against)}: ${against.what}`,
    ratio === null ? "" : `${formatNumber(ratio)}x`,
    formatGoal(line),
  ];
}

function formatGoal(line: Measured): string {
  const { goal, against, ours } = line;
  if (goal === null) return "";
  const unit = against === null ? (/^(ms|s)$/.test(ours.unit) ? ` ${ours.unit}` : "") : "x";
  return `${bound(goal)}${unit}, ${verdictOf(line) ?? "cannot be told"}`;
}

const bound = (goal: Goal) => ("atLeast" in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`);

const formatQuantity = ({ value, unit }: Quantity) => `${formatNumber(value)} ${unit}`;

/** Three significant digits, with thousands separators: a bench on a shared machine is not more precise. */
export function formatNumber(value: number): string {
  const rounded = Number(value.toPrecision(3));
  if (Number.isInteger(value) || Math.abs(rounded) >= 100) return Math.round(value).toLocaleString("en-US");
  return rounded.toLocaleString("en-US", { minimumFractionDigits: Math.abs(rounded) >= 10 ? 1 : 2 });
}
