// The table of `bans list`. Pure.
import { hiddenColumns, renderTable } from "../../common/table.ts";
import { oneLine } from "../../common/terminal.ts";
import type { BanWithEnd } from "../blacklist/ban-list.ts";
import { counted, shortDuration } from "./amounts.ts";

const COLUMNS = [
  { head: "KIND", key: "kind" },
  { head: "ID", key: "id", right: true },
  { head: "UNTIL", key: "until", drop: 1 },
  { head: "LEFT", key: "left", right: true },
  { head: "REASON", key: "reason", shrink: true },
] as const;

/** `width`: columns of the terminal; null: nothing is cut. */
export function bansScreen(bans: readonly BanWithEnd[], now: number, width: number | null): string {
  if (bans.length === 0) return "no bans\n";
  const rows = bans.map(({ kind, id, reason, until }) => ({
    kind,
    id: String(id),
    until: until === null ? "removed" : new Date(until).toISOString().replace(/:\d\d\.\d+Z$/, "Z"),
    left: until === null ? "no end" : shortDuration(until - now),
    reason: oneLine(reason),
  }));
  const table = renderTable(COLUMNS, rows, width);
  return `${table.text}${hiddenColumns(table)}${counted(bans.length, "ban")}\n`;
}
