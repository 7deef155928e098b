// Formats what the fleet bench has measured as a Markdown table. Pure.
import type { FleetNumbers } from "./fleet-phases.ts";
import { formatNumber } from "./table.ts";

/** One run: which program, how many pods, and what was measured. */
export interface FleetRow {
  program: string;
  pods: number;
  numbers: FleetNumbers;
}

const HEAD = [
  "pods",
  "program",
  "cold start / floor",
  "rollout / floor",
  "down at once, longest (without boot)",
  "outage / floor",
  "refused after 1 min",
  "idle calls/min",
  "Redis/s",
] as const;

export function fleetTable(rows: readonly FleetRow[]): string[] {
  const lines = [HEAD, HEAD.map(() => "---"), ...rows.map(cells)];
  return lines.map((line) => `| ${line.join(" | ")} |`);
}

function cells({ program, pods, numbers }: FleetRow): string[] {
  const { coldStart, rollout, outage, mostDown, refused, calls, idleCalls, redisOperations } = numbers;
  return [
    String(pods),
    program,
    ratio(coldStart, true),
    ratio(rollout, coldStart !== null),
    mostDown === null ? "" : `${mostDown}, ${longest(numbers)}`,
    ratio(outage, rollout !== null),
    `${formatNumber(refused)} of ${formatNumber(calls)}`,
    idleCalls === null ? "" : formatNumber(idleCalls),
    formatNumber(redisOperations),
  ];
}

function longest({ longestDown, longestWithoutBoot }: FleetNumbers): string {
  if (longestDown === null || longestWithoutBoot === null) return "for ever";
  return `${formatNumber(longestDown)} s (${formatNumber(longestWithoutBoot)} s)`;
}

/** What was tried and did not end is "never"; what was not tried is empty. */
function ratio(value: number | null, tried: boolean): string {
  if (value === null) return tried ? "never" : "";
  return `${value.toFixed(2)}x`;
}
