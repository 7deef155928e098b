// The command `run`: keeps nginx in sync with the upstream file until SIGTERM or SIGINT. Wires the parts together.
import { hostname } from "node:os";
import { readIfExists } from "../../common/atomic-file.ts";
import { systemClock as clock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { systemDisk as disk } from "../../common/disk.ts";
import { exitCodeOf } from "../../common/exit-code.ts";
import { logDestination } from "../../common/log-destination.ts";
import { createLogger, type Logger } from "../../common/logging.ts";
import { WakeSignal } from "../../common/loop.ts";
import { createRegistry } from "../../common/metrics.ts";
import { readSmallFile, readSmallFileSync } from "../../common/small-file.ts";
import { type StatusServer, type StatusSource, startStatusServer } from "../../common/status-server.ts";
import { readAlone, stayUp } from "../../common/stay-up.ts";
import { VERSION } from "../../common/version.ts";
import { Applier } from "../apply/apply.ts";
import { ConfigFiles, systemConfigDisk } from "../apply/config-files.ts";
import { readInputs } from "../inputs/read-inputs.ts";
import { readUpstream } from "../inputs/upstream.ts";
import { runReloaderPasses } from "../loop.ts";
import { fetchConnections } from "../nginx/connections.ts";
import { type NginxControl, nginxControl } from "../nginx/control.ts";
import { errorLog, systemLogDisk } from "../nginx/error-log.ts";
import { fetchVersion } from "../nginx/hash-probe.ts";
import { type MasterStatus, masterStatus } from "../nginx/master-status.ts";
import { type Processes, systemProcesses } from "../nginx/processes.ts";
import { KnownVersion } from "../nginx/version.ts";
import { Reconciler } from "../reconcile.ts";
import { registerMetrics } from "../report/metrics.ts";
import { Report } from "../report/report.ts";
import type { ReloaderSettings } from "../settings.ts";
import { RELOADER_VARIABLES } from "../variables.ts";
import { debounce, watchFolder } from "../watch.ts";
import { type ReloaderDependencies, reloaderDependencies } from "./dependencies.ts";

/** Runs until SIGTERM or SIGINT, and ends the process. Prints why the reloader cannot start when STAY_UP is false. */
export async function runCommand(call: CommandCall): Promise<ExitCode> {
  return exitCodeOf("vast-reloader", call, async () => {
    const code = await runUntilStopped(call);
    // An unfinished pass may still wait for a response. Only an open DNS lookup delays the exit, because Node waits for its thread.
    return process.exit(code);
  });
}

async function runUntilStopped(call: CommandCall): Promise<ExitCode> {
  const source = { env: call.env, flags: call.flags, readFile: readSmallFileSync };
  const destination = await logDestination(readAlone(RELOADER_VARIABLES, source, "LOG_FORMAT"), 1);
  const log = createLogger({ app: "vast-reloader", debug: false, secrets: () => [], destination });
  const stop = stopSignal(log);
  const start = async () => run(reloaderDependencies(call), stop);
  if (!readAlone(RELOADER_VARIABLES, source, "STAY_UP")) return start();
  const port = readAlone(RELOADER_VARIABLES, source, "RELOADER_STATUS_PORT");
  const serve = (status: StatusSource) => startStatusServer(port, status, "RELOADER_STATUS_PORT");
  const onProblem = (message: string) => log.error({ event: "cannot_start" }, message);
  return (await stayUp({ start, serve, clock, onProblem }, stop)) ?? EXIT.failed;
}

async function run(dependencies: ReloaderDependencies, stop: AbortSignal): Promise<ExitCode> {
  const { settings, warnings, auth } = dependencies;
  const { configPath, upstreamPath, statusPort } = settings;
  const { debug, logFormat } = settings;
  const destination = await logDestination(logFormat, 1);
  const logger = createLogger({ app: "vast-reloader", debug, secrets: () => auth.values(), destination });
  logger.info({ event: "start", version: VERSION, configPath, upstreamPath, statusPort }, "the reloader starts");
  for (const warning of warnings) logger.warn({ event: "settings" }, warning);

  const report = new Report(logger, clock.now(), clock.monotonic());
  const processes = systemProcesses();
  const nginx = openNginx(settings, processes);
  const reconciler = createReconciler(dependencies, nginx, processes, report, logger);
  const wake = new WakeSignal();
  const watcher = watchFolder({
    path: upstreamPath,
    onEvent: debounce(() => wake.notify(), clock, stop),
    onError: (why) => logger.warn({ event: "watch", why }, "cannot watch the folder: checking every 3 s instead"),
    clock,
  });
  let server: StatusServer | null = null;
  try {
    server = await serveStatus(settings, report, () => masterStatus(nginx, processes));
    const problem = await reconciler.recover();
    if (problem !== null) logger.warn({ event: "recover", problem }, "cannot use the files of an earlier run");
    const pass = async (signal: AbortSignal) => {
      await watcher.refresh(); // before the pass reads the file, so that a later change starts another pass
      return reconciler.pass(signal);
    };
    await runReloaderPasses({ pass, onError: (error) => report.fail(error), wake, clock }, stop);
  } finally {
    await Promise.all([watcher.close(), server?.close()]);
  }
  logger.info({ event: "stop" }, "the reloader has stopped");
  return EXIT.done;
}

/** Is aborted by SIGTERM and SIGINT. */
function stopSignal(logger: Logger): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      logger.info({ event: "stop", signal: name }, "the reloader is stopping");
      stop.abort();
    });
  }
  return stop.signal;
}

function openNginx({ proxy, pidFile: path }: ReloaderSettings, processes: Processes): NginxControl {
  const pidFile = path === undefined ? null : { path, read: () => readIfExists(path) };
  return nginxControl(processes, pidFile, proxy.statusPort, clock);
}

function createReconciler(
  { settings, auth, template, resolver, addressRules }: ReloaderDependencies,
  nginx: NginxControl,
  processes: Processes,
  report: Report,
  logger: Logger,
): Reconciler {
  const { proxy } = settings;
  const files = new ConfigFiles(settings, systemConfigDisk);
  const log = errorLog(settings.errorLog, systemLogDisk, (why) => logger.warn({ event: "warning" }, why));
  const version = new KnownVersion({
    findMaster: () => nginx.findMaster(),
    fetchVersion: () => fetchVersion(proxy.statusPort, clock),
  });
  const upstream = () => readUpstream(settings.upstreamPath, readSmallFile);
  const isWithdrawn = async () => {
    const read = await upstream();
    return read.kind === "file" && read.file.server === null;
  };
  return new Reconciler({
    proxy,
    clock,
    files,
    disk,
    applier: new Applier({ clock, nginx, files, log, isWithdrawn }),
    resolver,
    addressRules,
    report,
    readUpstream: upstream,
    readInputs: () => readInputs({ auth: () => auth.refresh(), nginxVersion: () => version.current(), template }),
    removeStale: (config) => auth.removeStale(config.text),
    descriptorTarget: async (fd) => {
      const master = await nginx.findMaster();
      return master.found === "one" ? processes.descriptor(master.pid, fd) : null;
    },
  });
}

function serveStatus(
  { statusPort, proxy }: ReloaderSettings,
  report: Report,
  nginx: () => Promise<MasterStatus>,
): Promise<StatusServer> {
  const metrics = createRegistry();
  // Some scrape jobs do not say which pod an address belongs to, and the alerts are by pod. In a pod the host name is the pod's name.
  metrics.setDefaultLabels({ pod: hostname() });
  registerMetrics(metrics, report, () => fetchConnections(proxy.statusPort, clock));
  const source = {
    live: () => report.live(clock.monotonic()),
    ready: () => report.ready(),
    status: async () => report.status(await nginx()),
  };
  return startStatusServer(statusPort, { ...source, metrics }, "RELOADER_STATUS_PORT");
}
