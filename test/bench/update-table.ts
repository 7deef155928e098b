// Formats what updates cost as a Markdown table. Pure.
import { percentile } from "./statistics.ts";
import { formatNumber } from "./table.ts";
import type { UpdateNumbers } from "./update-run.ts";

/** The updates of one strategy; null: one that was not over in time. */
export interface UpdateRow {
  strategy: string;
  updates: readonly (UpdateNumbers | null)[];
}

const HEAD = [
  "strategy",
  "updates",
  "serves nothing: median",
  "95 of 100",
  "longest",
  "takes: median",
  "paid for nobody: mean",
  "95 of 100",
] as const;

export function updateTable(rows: readonly UpdateRow[]): string[] {
  const lines = [HEAD, HEAD.map(() => "---"), ...rows.map(cells)];
  return lines.map((line) => `| ${line.join(" | ")} |`);
}

function cells({ strategy, updates }: UpdateRow): string[] {
  const over = updates.filter((one) => one !== null);
  const unserved = over.map((one) => one.unserved);
  const dollars = over.map((one) => one.idleDollars);
  const mean = dollars.reduce((sum, one) => sum + one, 0) / over.length;
  const count = over.length === updates.length ? String(over.length) : `${over.length} of ${updates.length}`;
  const seconds = (value: number) => `${formatNumber(value)} s`;
  return [
    strategy,
    count,
    seconds(percentile(unserved, 50)),
    seconds(percentile(unserved, 95)),
    seconds(Math.max(...unserved)),
    seconds(
      percentile(
        over.map((one) => one.took),
        50,
      ),
    ),
    `$${mean.toFixed(4)}`,
    `$${percentile(dollars, 95).toFixed(4)}`,
  ];
}
