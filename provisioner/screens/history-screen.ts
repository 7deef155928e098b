// The table of `history`: what the pod was, when, how long and why. Pure.
import { hiddenColumns, renderTable } from "../../common/table.ts";
import { oneLine, type Style, type Terminal } from "../../common/terminal.ts";
import type { StatusDocument } from "../report/status-document.ts";
import { shortDuration } from "./amounts.ts";

export interface HistoryDocument {
  schema: 1;
  label: string;
  /** Who says so: the provisioner that runs here, or the file that one has left. */
  from: "provisioner" | "state_file";
  /** The newest last. */
  history: StatusDocument["history"];
}

const COLUMNS = [
  { head: "SINCE (UTC)", key: "since" },
  { head: "FOR", key: "lasted", right: true, drop: 2 },
  { head: "STATE", key: "state" },
  { head: "REASON", key: "reason", drop: 1 },
  { head: "INSTANCE", key: "instance", right: true, drop: 3 },
  { head: "MESSAGE", key: "message", shrink: true },
] as const;

const STYLES: Readonly<Record<string, Style>> = { ready: "green", blocked: "red", unavailable: "yellow" };

/** The ids of the instances that the pod had, the newest last. */
export function historyNames({ history }: HistoryDocument): string {
  const ids = new Set(history.flatMap(({ instanceId }) => (instanceId === null ? [] : [instanceId])));
  return [...ids].map((id) => `${id}\n`).join("");
}

/** `width`: columns of the terminal; null: nothing is cut. */
export function historyScreen(
  { label, from, history }: HistoryDocument,
  now: number,
  paint: Terminal["paint"],
  width: number | null,
): string {
  const source =
    from === "provisioner" ? "as the provisioner here says" : "from the state file: no provisioner answers here";
  const title = `${oneLine(label)}   ${source}\n`;
  if (history.length === 0) return `${title}nothing has happened yet\n`;
  const rows = history.map(({ at, state, reason, message, instanceId }, i) => {
    const next = history[i + 1];
    const shown = oneLine(state);
    const style = STYLES[state];
    return {
      since: at.slice(0, 19).replace("T", " "),
      lasted: `${shortDuration((next === undefined ? now : Date.parse(next.at)) - Date.parse(at))}${next === undefined ? "+" : ""}`,
      state: style === undefined ? shown : paint(style, shown),
      reason: oneLine(reason),
      instance: instanceId === null ? "-" : String(instanceId),
      message: oneLine(message),
    };
  });
  const table = renderTable(COLUMNS, rows, width);
  return `${title}${table.text}${hiddenColumns(table)}`;
}
