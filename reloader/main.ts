// vast-reloader: keeps nginx true to the upstream file. All wiring is here: environment, clock, disk, network, signals.
import { lookup } from "node:dns/promises";
import { existsSync, readFileSync } from "node:fs";
import { chmod, readdir, rename, rm } from "node:fs/promises";
import { readIfExists, removeStaleTemporaries, writeAtomic } from "../common/atomic-file.ts";
import { systemClock } from "../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode, runCommandLine } from "../common/command-line.ts";
import { createLogger } from "../common/logging.ts";
import { createRegistry } from "../common/metrics.ts";
import { type StatusServer, startStatusServer } from "../common/status-server.ts";
import { VERSION } from "../common/version.ts";
import { Applier, type NginxControl } from "./apply/apply.ts";
import { ConfigFiles, type Disk } from "./apply/config-files.ts";
import { AuthFile } from "./inputs/auth-header.ts";
import { readInputs } from "./inputs/read-inputs.ts";
import { createResolver } from "./inputs/resolve.ts";
import { readSmallFile } from "./inputs/small-file.ts";
import { readUpstream } from "./inputs/upstream.ts";
import { runLoop } from "./loop.ts";
import { errorLog, systemLogDisk } from "./nginx/error-log.ts";
import { fetchConfigHash, fetchVersion } from "./nginx/hash-probe.ts";
import { findMaster, forbiddenReason, isMaster, type PidFile } from "./nginx/master.ts";
import { type Processes, systemProcesses } from "./nginx/processes.ts";
import { KnownVersion } from "./nginx/version.ts";
import { answeringWorkers, stillAnswering } from "./nginx/workers.ts";
import { Reconciler } from "./reconcile.ts";
import { DEFAULT_CONF } from "./render/default-conf.ts";
import { renderConfig } from "./render/render.ts";
import { registerMetrics } from "./report/metrics.ts";
import { Report } from "./report/report.ts";
import { type ReloaderSettings, readAuthHeader, reloaderSettings } from "./settings.ts";
import { RELOADER_VARIABLES } from "./variables.ts";
import { debounce, WakeSignal, watchFolder } from "./watch.ts";

const clock = systemClock;
const disk: Disk = { read: readIfExists, write: writeAtomic, move: rename, removeStale: removeStaleTemporaries };
const authDisk = {
  ...disk,
  list: (folder: string) => (existsSync(folder) ? readdir(folder) : Promise.resolve([])),
  remove: (path: string) => rm(path, { force: true }),
  chmod: (path: string, mode: number) => chmod(path, mode),
};
const resolver = createResolver(async (name) => (await lookup(name, { all: true })).map((a) => a.address), clock);

function settingsFor(call: CommandCall) {
  const source = { env: process.env, flags: call.flags, readFile: (path: string) => readFileSync(path, "utf8") };
  const { settings, warnings } = reloaderSettings(source, hasIpv6());
  const auth = new AuthFile(settings.configPath, authDisk, () => readAuthHeader(source));
  return { settings, warnings, auth };
}

function templateOf({ templatePath: path }: ReloaderSettings) {
  return path === undefined ? null : { path, read: async () => (await readSmallFile(path)).text };
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

function nginxOf(settings: ReloaderSettings, processes: Processes): NginxControl {
  const { pidFile: path } = settings;
  const pidFile: PidFile | null = path === undefined ? null : { path, read: () => readIfExists(path) };
  return {
    ask: () => fetchConfigHash(settings.proxy.statusPort, clock),
    findMaster: () => findMaster(processes, pidFile),
    isMaster: (pid) => isMaster(processes, pid),
    reload: (pid) => processes.reload(pid),
    forbiddenReason: (pid) => forbiddenReason(processes, pid),
    answeringWorkers: (master) => answeringWorkers(processes, master),
    stillAnswering: (workers) => stillAnswering(processes, workers),
  };
}

async function run(call: CommandCall): Promise<ExitCode> {
  const { settings, warnings, auth } = settingsFor(call);
  const logger = createLogger({ app: "vast-reloader", debug: settings.debug, secrets: () => auth.values() });
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      logger.info({ event: "stop", signal: name }, "stopping");
      stop.abort();
    });
  }
  const { configPath, upstreamPath, statusPort } = settings;
  logger.info({ event: "start", version: VERSION, configPath, upstreamPath, statusPort }, "started");
  for (const warning of warnings) logger.warn({ event: "settings" }, warning);

  const processes = systemProcesses();
  const nginx = nginxOf(settings, processes);
  const files = new ConfigFiles(settings, disk);
  const log = errorLog(settings.errorLog, systemLogDisk, (why) => logger.warn({ event: "warning" }, why));
  const report = new Report(logger, clock.now());
  const ask = () => fetchVersion(settings.proxy.statusPort, clock);
  const version = new KnownVersion({ findMaster: () => nginx.findMaster(), ask });
  const reconciler = new Reconciler({
    proxy: settings.proxy,
    clock,
    files,
    disk,
    applier: new Applier({ clock, nginx, files, log }),
    resolver,
    report,
    readUpstream: () => readUpstream(upstreamPath, readSmallFile),
    readInputs: () =>
      readInputs({ auth: () => auth.refresh(), nginxVersion: () => version.current(), template: templateOf(settings) }),
    removeStale: (config) => auth.removeStale(config.text),
    behindDescriptor: async (fd) => {
      const master = await nginx.findMaster();
      return master.found === "one" ? processes.descriptor(master.pid, fd) : null;
    },
  });
  const bell = new WakeSignal();
  const onEvent = debounce(() => bell.notify(), clock, stop.signal);
  const onError = (why: string) =>
    logger.warn({ event: "watch", why }, "cannot watch the folder: checking every 3 s instead");
  const watcher = watchFolder({ path: upstreamPath, onEvent, onError, clock });
  const server = await serveStatus(statusPort, report);
  const problem = await reconciler.recover();
  if (problem !== null) logger.warn({ event: "recover", problem }, "files of an earlier run cannot be used");
  const pass = async (signal: AbortSignal) => {
    await watcher.refresh(); // before the look: what changes after it is heard
    return reconciler.pass(signal);
  };
  await runLoop({ pass, onError: (error) => report.fail(error), wake: bell, clock }, stop.signal);
  await Promise.all([watcher.close(), server.close()]);
  logger.info({ event: "stop" }, "stopped");
  // A pass that was left may still wait for an answer. A question to DNS alone is waited for even so: its thread is.
  process.exit(EXIT.done);
}

function serveStatus(port: number, report: Report): Promise<StatusServer> {
  const metrics = createRegistry();
  registerMetrics(metrics, () => report.figures(), clock.now);
  const source = { live: () => report.live(clock.now()), ready: () => report.ready(), status: () => report.status() };
  return startStatusServer(port, { ...source, metrics }, "RELOADER_STATUS_PORT");
}

/** Prints the config that `run` would give nginx for an upstream file, and changes nothing. */
async function render(call: CommandCall): Promise<ExitCode> {
  const { settings, auth } = settingsFor(call);
  const { proxy } = settings;
  const path = typeof call.options.upstream === "string" ? call.options.upstream : settings.upstreamPath;
  const read = await readUpstream(path, readSmallFile);
  if (read.kind !== "file") throw new Error(read.kind === "missing" ? `there is no file ${path}` : read.problem);
  const { server } = read.file;
  const resolved = server === null ? null : await resolver.resolve(server.host);
  if (resolved?.known === false) throw new Error(resolved.why);
  const nginxVersion = await fetchVersion(proxy.statusPort, clock);
  const looked = await readInputs({
    auth: () => auth.peek(),
    nginxVersion: async () => nginxVersion,
    template: templateOf(settings),
  });
  if (!looked.usable) throw new Error(looked.problem ?? "");
  const target = server === null || resolved === null ? null : { server, address: resolved.address };
  const config = renderConfig(target, proxy, looked.render);
  process.stdout.write(call.options.json === true ? `${JSON.stringify(config)}\n` : config.text);
  return EXIT.done;
}

/** Prints the built-in template, to begin one's own with. */
async function template(): Promise<ExitCode> {
  process.stdout.write(DEFAULT_CONF);
  return EXIT.done;
}

process.exitCode = await runCommandLine(
  {
    name: "vast-reloader",
    variables: RELOADER_VARIABLES,
    version: VERSION,
    commands: [
      {
        usage: "run",
        meaning: "keep nginx pointed at the server of the upstream file",
        example: ["--nginx-listen-port 8000", "serve on port 8000"],
        isDefault: true,
        run,
      },
      {
        usage: "render",
        meaning: "print the nginx config for an upstream file, without changing anything",
        example: ["render --upstream upstream.json", "print the config for this file"],
        build: (cli) =>
          cli.option("upstream", { type: "string", requiresArg: true, describe: "the file [UPSTREAM_PATH]" }),
        run: render,
      },
      {
        usage: "template",
        meaning: "print the built-in template of the nginx config",
        example: ["template > nginx.mustache", "write it to a file, to start your own from it"],
        run: template,
      },
    ],
  },
  process.argv.slice(2),
  { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
);
