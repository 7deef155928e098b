// What a change of the image costs with each update strategy, by real processes in real time (provisioner, reloader, nginx, emulator),
// under the load of wrk.
import { type UpdateReport, updateUnderLoad } from "../integration/update-load.ts";
import type { NginxOptions } from "../sandbox/nginx.ts";
import { findProgram } from "../sandbox/programs.ts";
import { nginxVersion } from "./machine.ts";
import { openNewerNginx } from "./newer-nginx.ts";
import type { ResultLine } from "./result-line.ts";

// As long as downloads and machines take, and an app that needs a minute.
const EMULATOR = { bootSeconds: null, appSeconds: 60, billDownloads: true };
const SECONDS = 60;

export async function realUpdates(): Promise<ResultLine[]> {
  const version = nginxVersion(findProgram("nginx", process.env));
  const lines: ResultLine[] = [];
  for (const strategy of ["recreate", "in-place", "surge"]) lines.push(...(await measured(strategy, version, {})));
  try {
    const newer = await openNewerNginx();
    try {
      lines.push(...(await measured("surge", newer.version, { program: newer.program })));
    } finally {
      await newer.close();
    }
  } catch (error) {
    const notMeasured = error instanceof Error ? error.message.replaceAll(/\s+/g, " ") : String(error);
    lines.push({ what: "update by surge on a newer nginx", notMeasured });
  }
  return lines;
}

async function measured(strategy: string, version: string, nginx: NginxOptions): Promise<ResultLine[]> {
  const report = await updateUnderLoad({ strategy, nginx, seconds: SECONDS, emulator: EMULATOR });
  const { unservedMs, tookMs, idleDollars, connectionEach, keepAlive, sendsAgain } = report;
  const what = `update by ${strategy}, nginx ${version}`;
  const line = (name: string, value: number, unit: string, atMost: number | null = null): ResultLine => ({
    what: `${what}: ${name}`,
    ours: { value, unit },
    against: null,
    goal: atMost === null ? null : { atMost },
  });
  const surges = strategy === "surge" ? 0 : null;
  const closed = sendsAgain.closed;
  return [
    line("serves nothing", unservedMs / 1000, "s", surges),
    line("takes", tookMs / 1000, "s"),
    line("paid for instances that serve nobody", idleDollars, "$"),
    line("wrk, a connection each, lost", lostOf(connectionEach), of(connectionEach.requests), surges),
    line("wrk, keep-alive, lost or closed while idle", lostOf(keepAlive), of(keepAlive.requests)),
    line(
      `keep-alive, sent again (${closed} times), lost`,
      sendsAgain.lost.length,
      of(sendsAgain.answered + sendsAgain.lost.length),
      surges,
    ),
  ];
}

const of = (requests: number) => `of ${requests.toLocaleString("en-US")} requests`;

function lostOf({ refused, errors }: UpdateReport["keepAlive"]): number {
  return refused + errors.connect + errors.read + errors.write + errors.timeout;
}
