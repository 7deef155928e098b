// The CPU time that a process has used. Reads /proc.
import { readFileSync } from "node:fs";

// Linux counts in hundredths of a second on every architecture that Node runs on (USER_HZ).
const TICKS_PER_SECOND = 100;

/** User and system time in seconds, without its children. Throws when there is no such process. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The fields follow the name, which is in parentheses and may contain parentheses (proc(5): utime 14, stime 15).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
