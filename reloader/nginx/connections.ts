// Asks nginx how many client connections it has, for autoscaling. Touches loopback.
import type { Clock } from "../../common/clock.ts";
import { getJson } from "../../common/http.ts";

/** `busy`: a request is being read or answered. `idle`: open, and waiting for the next request. */
export interface ClientConnections {
  busy: number;
  idle: number;
}

const DEADLINE_MS = 1000;

/** Reads nginx' `stub_status` page from its status port. Null when nginx does not answer it in time. Never throws. */
export async function fetchConnections(port: number, clock: Clock): Promise<ClientConnections | null> {
  try {
    const { status, data } = await getJson(`http://127.0.0.1:${port}/stub_status`, clock, DEADLINE_MS);
    return status === 200 ? parseConnections(String(data)) : null;
  } catch {
    return null; // no nginx: `vast_pod_nginx_up` says so
  }
}

/** The last line of the page is like `Reading: 0 Writing: 3 Waiting: 12`. One that writes is the question itself. */
export function parseConnections(page: string): ClientConnections | null {
  const [, reading, writing, waiting] = /^Reading: (\d+) Writing: (\d+) Waiting: (\d+)\s*$/m.exec(page) ?? [];
  if (reading === undefined) return null;
  return { busy: Math.max(Number(reading) + Number(writing) - 1, 0), idle: Number(waiting) };
}
