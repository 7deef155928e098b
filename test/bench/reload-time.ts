// Time from a changed file to an nginx that applies it: the real reloader beside the shortest possible script, an `inotifywait`
// loop with `nginx -s reload` on a finished config, without verification.
import { renameSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../common/clock.ts";
import { formatUpstreamFile, type Server } from "../../common/upstream-file.ts";
import { fetchConfigHash } from "../../reloader/nginx/hash-probe.ts";
import { systemProcesses } from "../../reloader/nginx/processes.ts";
import { listWorkers } from "../../reloader/nginx/workers.ts";
import { type ReloaderPod, type Status, servingPod, upstreamFile } from "../integration/reloader-pod.ts";
import type { Child } from "../sandbox/child.ts";
import { startNginx } from "../sandbox/nginx.ts";
import { findProgram } from "../sandbox/programs.ts";
import { until } from "../sandbox/until.ts";
import { contestant, interleave } from "./interleave.ts";
import { ourProxy } from "./plain-proxy.ts";
import type { ResultLine } from "./result-line.ts";
import { percentile } from "./statistics.ts";

const ROUNDS = 100;
// As the reloader does: several requests at a time reach a new worker sooner. Every millisecond, for precision.
const QUESTIONS_AT_ONCE = 4;
const ASK_EVERY_MS = 1;

export async function reloadTime(): Promise<ResultLine[]> {
  const { pod, reloader, first } = await servingPod();
  try {
    const servers = [(await pod.instance("second")).server, first.server];
    const script = await startScript(pod, first.server);
    const serverOf = (round: number) => servers[round % servers.length] ?? first.server;
    const ours = contestant((round) => timeReloader(pod, reloader, round + 2, serverOf(round)));
    const theirs = contestant((round) => script.time(serverOf(round)));
    await interleave(ROUNDS, [ours, theirs]);
    const accepted = ours.samples.map((sample) => sample.acceptedMs);
    const settled = ours.samples.map((sample) => sample.settledMs);
    const settling = ours.samples.map((sample) => sample.settledMs - sample.acceptedMs);
    const compare = (percent: number, atMost: number): ResultLine => ({
      what: `upstream.json renamed -> accepted, p${percent}`,
      ours: { value: percentile(accepted, percent), unit: "ms" },
      against: {
        value: percentile(theirs.samples, percent),
        unit: "ms",
        what: "inotifywait and nginx -s reload, to its first new answer",
      },
      goal: { atMost },
    });
    return [
      compare(50, 1.2),
      compare(99, 1.5),
      {
        what: "upstream.json renamed -> settled, p50",
        ours: { value: percentile(settled, 50), unit: "ms" },
        against: null,
        goal: { atMost: 60 },
      },
      {
        what: "accepted -> settled, p99",
        ours: { value: percentile(settling, 99), unit: "ms" },
        against: null,
        goal: { atMost: 150 },
      },
    ];
  } finally {
    await pod.close();
  }
}

/** Both in ms since the rename. */
interface ReloaderTimes {
  acceptedMs: number;
  settledMs: number;
}

/** The times that the reloader reports. It is asked only afterwards, so that the measurement does not disturb it. */
async function timeReloader(
  pod: ReloaderPod,
  reloader: Child,
  generation: number,
  server: Server,
): Promise<ReloaderTimes> {
  const { hash: before } = (await pod.status()).applied ?? { hash: "" };
  const told = nextLine(reloader, "nginx reloaded");
  const renamedAt = await replace(pod.upstreamPath, formatUpstreamFile(upstreamFile({ generation, server })));
  await told;
  const status = await pod.applied(generation);
  if (status.applied?.hash === before) throw new Error("nothing has changed");
  const { at, acceptedMs, settledMs } = reloadOf(status);
  const sinceRename = at - renamedAt;
  return { acceptedMs: sinceRename + acceptedMs, settledMs: sinceRename + settledMs };
}

/** Renames a file with `text` into place, and returns when. */
async function replace(path: string, text: string): Promise<number> {
  await writeFile(`${path}.tmp`, text, { mode: 0o644 });
  const now = systemClock.now();
  renameSync(`${path}.tmp`, path);
  return now;
}

function reloadOf({ lastReload }: Status): { at: number; acceptedMs: number; settledMs: number } {
  if (lastReload === null || lastReload.settledMs === null) throw new Error("the reloader knows of no settled reload");
  return { ...lastReload, at: Date.parse(lastReload.at), settledMs: lastReload.settledMs };
}

function nextLine(child: Child, text: string): Promise<void> {
  return new Promise((resolve) => {
    child.onLine((line) => {
      if (line.includes(text)) resolve();
    });
  });
}

interface Script {
  /** Renames a config for that server into place; returns the ms until nginx first answered with it. */
  time(server: Server): Promise<number>;
}

/** A separate nginx and the loop that reloads it whenever its config is replaced. */
async function startScript(pod: ReloaderPod, server: Server): Promise<Script> {
  const { sandbox } = pod;
  const ports = { listen: await sandbox.port(), status: await sandbox.port() };
  const folder = await sandbox.subfolder("scripted/conf.d");
  const path = join(folder, "default.conf");
  await writeFile(path, ourProxy(ports, server).text);
  const nginx = await startNginx(sandbox, "scripted");
  const command = `${findProgram("nginx", process.env)} -p ${nginx.folder} -c ${nginx.folder}/nginx.conf -s reload`;
  const watch = `${findProgram("inotifywait", process.env)} -m -e moved_to ${folder}`;
  const loop = await sandbox.start({
    name: "loop",
    program: "sh",
    args: ["-c", `${watch} | while read -r _; do ${command}; done`],
  });
  await until("inotifywait watches", () => loop.lines.some((line) => line.includes("Watches established")));
  const processes = systemProcesses();
  return {
    time: async (next) => {
      const config = ourProxy(ports, next);
      const old = listWorkers(processes, nginx.master.pid, []).filter((worker) => !worker.isLeaving);
      const renamedAt = await replace(path, config.text);
      await firstAnswer(ports.status, config.hash);
      const ms = systemClock.now() - renamedAt;
      await until("the old workers leave", () =>
        listWorkers(processes, nginx.master.pid, []).every(
          ({ pid, isLeaving }) => isLeaving || !old.some((one) => one.pid === pid),
        ),
      );
      return ms;
    },
  };
}

async function firstAnswer(statusPort: number, hash: string): Promise<void> {
  for (;;) {
    const asked = Array.from({ length: QUESTIONS_AT_ONCE }, () => fetchConfigHash(statusPort, systemClock));
    const echoes = await Promise.all(asked);
    if (echoes.some((echo) => echo.kind === "hash" && echo.hash === hash)) return;
    await delay(ASK_EVERY_MS);
  }
}
