// vast-reloader: keeps nginx true to the upstream file. All wiring is here: environment, clock, disk, network, signals.
import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { readFile, rename, stat } from "node:fs/promises";
import { readIfExists, removeStaleTemporaries, writeAtomic } from "../common/atomic-file.ts";
import { systemClock } from "../common/clock.ts";
import { type Call, EXIT, type ExitCode, runCommandLine } from "../common/command-line.ts";
import { createLogger } from "../common/logging.ts";
import { createRegistry } from "../common/metrics.ts";
import { type StatusServer, startStatusServer } from "../common/status-server.ts";
import { VERSION } from "../common/version.ts";
import { Applier, type Nginx } from "./apply.ts";
import { ConfigFiles, type Disk } from "./config-files.ts";
import { errorLog, systemLogDisk } from "./error-log.ts";
import { runLoop } from "./loop.ts";
import { registerMetrics } from "./metrics.ts";
import { askHash } from "./nginx/config-echo.ts";
import { findMaster, forbiddenReason, isMaster, type PidFile } from "./nginx/master.ts";
import { type Processes, systemProcesses } from "./nginx/processes.ts";
import { answeringWorkers, stillAnswering } from "./nginx/workers.ts";
import { Reconciler } from "./reconcile.ts";
import { renderConfig } from "./render.ts";
import { Report } from "./report.ts";
import { createResolver } from "./resolve.ts";
import { type ReloaderSettings, reloaderSettings } from "./settings.ts";
import { readUpstream } from "./upstream.ts";
import { Bell, burst, watchFolder } from "./watch.ts";

const clock = systemClock;
const disk: Disk = { read: readIfExists, write: writeAtomic, move: rename, tidy: removeStaleTemporaries };
const upstreamDisk = { readFile: (path: string) => readFile(path, "utf8"), stat: (path: string) => stat(path) };
const resolver = createResolver(async (name) => (await lookup(name, { all: true })).map((a) => a.address), clock);

function settingsFor(call: Call) {
  const source = { env: process.env, flags: call.flags, readFile: (path: string) => readFileSync(path, "utf8") };
  return reloaderSettings(source, hasIpv6());
}

/** Empty or not there where IPv6 is switched off: nginx then refuses a config that listens on it. */
function hasIpv6(): boolean {
  try {
    return readFileSync("/proc/net/if_inet6", "utf8").trim() !== "";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

function nginxOf(settings: ReloaderSettings, processes: Processes): Nginx {
  const { pidFile: path } = settings;
  const pidFile: PidFile | null = path === undefined ? null : { path, read: () => readIfExists(path) };
  return {
    ask: () => askHash(settings.proxy.statusPort, clock),
    findMaster: () => findMaster(processes, pidFile),
    isMaster: (pid) => isMaster(processes, pid),
    reload: (pid) => processes.reload(pid),
    forbiddenReason: (pid) => forbiddenReason(processes, pid),
    answeringWorkers: (master) => answeringWorkers(processes, master),
    stillAnswering: (workers) => stillAnswering(processes, workers),
  };
}

async function run(call: Call): Promise<ExitCode> {
  const { settings, warnings } = settingsFor(call);
  const logger = createLogger({ app: "vast-reloader", debug: settings.debug, secrets: () => [] });
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      logger.info({ signal: name }, "stopping");
      stop.abort();
    });
  }
  const { configPath, upstreamPath, statusPort } = settings;
  logger.info({ version: VERSION, configPath, upstreamPath, statusPort }, "started");
  for (const warning of warnings) logger.warn(warning);

  const processes = systemProcesses();
  const nginx = nginxOf(settings, processes);
  const files = new ConfigFiles(settings, disk);
  const log = errorLog(settings.errorLog, systemLogDisk, (why) => logger.warn(why));
  const report = new Report(logger, clock.now());
  const reconciler = new Reconciler({
    proxy: settings.proxy,
    clock,
    files,
    disk,
    applier: new Applier({ clock, nginx, files, log }),
    resolver,
    report,
    readUpstream: () => readUpstream(upstreamPath, upstreamDisk),
    behindDescriptor: async (fd) => {
      const master = await nginx.findMaster();
      return master.found === "one" ? processes.descriptor(master.pid, fd) : null;
    },
  });
  const bell = new Bell();
  const onEvent = burst(() => bell.ring(), clock, stop.signal);
  const watcher = watchFolder(upstreamPath, onEvent, (why) => logger.warn({ why }, "cannot watch: looking every 3 s"));
  const server = await serveStatus(statusPort, report);
  const problem = await reconciler.recover();
  if (problem !== null) logger.warn({ problem }, "what an earlier run left cannot be taken up");
  const pass = async (signal: AbortSignal) => {
    await watcher.refresh(); // before the look: what changes after it is heard
    return reconciler.pass(signal);
  };
  await runLoop({ pass, onError: (error) => report.fail(error), bell, clock }, stop.signal);
  await Promise.all([watcher.close(), server.close()]);
  logger.info("stopped");
  return EXIT.done;
}

function serveStatus(port: number, report: Report): Promise<StatusServer> {
  const metrics = createRegistry();
  registerMetrics(metrics, () => report.figures(), clock.now);
  const source = { live: () => report.live(clock.now()), ready: () => report.ready(), status: () => report.status() };
  return startStatusServer(port, { ...source, metrics }, "RELOADER_STATUS_PORT");
}

/** Prints the config that `run` would give nginx for an upstream file, and changes nothing. */
async function render(call: Call): Promise<ExitCode> {
  const { settings } = settingsFor(call);
  const path = typeof call.options.upstream === "string" ? call.options.upstream : settings.upstreamPath;
  const read = await readUpstream(path, upstreamDisk);
  if (read.kind !== "file") throw new Error(read.kind === "missing" ? `there is no file ${path}` : read.problem);
  const { server } = read.file;
  const found = server === null ? null : await resolver.resolve(server.host);
  if (found?.known === false) throw new Error(found.why);
  const config = renderConfig(
    server === null || found === null ? null : { server, address: found.address },
    settings.proxy,
  );
  process.stdout.write(call.options.json === true ? `${JSON.stringify(config)}\n` : config.text);
  return EXIT.done;
}

process.exitCode = await runCommandLine(
  {
    name: "vast-reloader",
    container: "reloader",
    version: VERSION,
    commands: [
      { usage: "run", meaning: "keep nginx true to the upstream file", isDefault: true, run },
      {
        usage: "render",
        meaning: "print the nginx config for an upstream file, and change nothing",
        build: (cli) =>
          cli.option("upstream", { type: "string", requiresArg: true, describe: "the file [UPSTREAM_PATH]" }),
        run: render,
      },
    ],
  },
  process.argv.slice(2),
  { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
);
