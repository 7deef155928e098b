// `npm run local`: emulator, provisioner, reloader and nginx as processes of one sandbox, without Docker. Prints what happens
// and shuts everything down in order, so that nothing is left. Touches its sandbox and the terminal.
import { systemClock } from "../../common/clock.ts";
import type { Child } from "../sandbox/child.ts";
import { firstFreePort } from "../sandbox/ports.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { helpText } from "./help.ts";
import { formatMessage, present } from "./presenter.ts";
import { type Readiness, watchReadiness } from "./readiness.ts";
import { describeExit, type Service } from "./service.ts";
import { type Services, startServices } from "./services.ts";
import { createShutdown, SHUTDOWN_SIGNALS, type Shutdown } from "./shutdown.ts";
import { emulatorArgs, emulatorUrl, provisionerEnv, proxyUrl, type StackLayout } from "./stack-settings.ts";

const PROXY_PORT = 3000; // the default of NGINX_LISTEN_PORT
const EMULATOR_PORT = 8090; // the port in the emulator's README
// Many times the usual start: if it takes longer, something is wrong with the machine.
const EMULATOR_START_MS = 20_000;
// Enough to show the error and what led to it.
const LAST_LINES = 8;

const startedAt = systemClock.now();
const print = (word: string, text: string) => console.log(formatMessage(systemClock.now() - startedAt, { word, text }));
const printLine = (program: string, line: string) => {
  const shown = present(program, line);
  if (shown !== null) print(shown.word, shown.text);
};
const READINESS: Readonly<Record<Readiness, (url: string) => string>> = {
  ready: (url) => `the pod is ready: ${url}`,
  unready: (url) => `the pod is not ready: ${url} answers 503 until an instance serves`,
  silent: (url) => `nothing listens on ${url}`,
};
const quote = (lines: readonly string[]) => lines.slice(-LAST_LINES).map((line) => `\n| ${line}`);

/** Opens the sandbox, runs the stack, and closes the sandbox whatever happens. Returns the exit code. */
async function main(): Promise<number> {
  let sandbox: Sandbox | null = null;
  const shutdown = createShutdown(systemClock, () => {
    sandbox?.closeNow();
    process.exit(130); // what a shell reports for a program that Ctrl-C ended
  });
  for (const signal of SHUTDOWN_SIGNALS) process.on(signal, shutdown.request);
  // The terminal was closed, or the reader of a pipe has exited: nobody can read the output any more.
  process.stdout.once("error", shutdown.request).on("error", () => process.stdout.destroy());
  try {
    sandbox = await openSandbox("vast-pod-local-");
    await run(sandbox, shutdown);
    return 0;
  } catch (error) {
    if (shutdown.requested.aborted) return 0; // the shutdown was requested during the start
    print("failed", error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    await sandbox?.close();
    print("stopped", "all processes are stopped and all temporary files are removed");
  }
}

/** Starts everything, prints what happens, and shuts down in order when requested. Throws if the emulator exits. */
async function run(sandbox: Sandbox, shutdown: Shutdown): Promise<void> {
  const layout = await chooseLayout(sandbox);
  const emulator = await startEmulator(sandbox, layout, shutdown.requested);
  const gone = new AbortController();
  void emulator.exited.then(() => gone.abort());
  const over = AbortSignal.any([shutdown.requested, gone.signal]);
  const services = await startServices({ sandbox, layout, clock: systemClock, print, printLine });
  const url = proxyUrl(layout);
  let helped = false;
  await watchReadiness(`${url}/-/ready`, systemClock, over, (readiness) => {
    print(readiness === "ready" ? "up" : "down", READINESS[readiness](url));
    if (!helped) console.log(`\n${helpText(helpFacts(layout, services))}\n`);
    helped = true;
  });
  const emulatorDied = !shutdown.requested.aborted;
  if (emulatorDied) print("failed", describeEmulatorExit(emulator));
  print("stopping", "destroying the instance, then stopping all processes (press Ctrl-C again to kill everything now)");
  await stopServices(sandbox, layout, services, emulatorDied);
  await emulator.stop();
  if (emulatorDied) throw new Error("the local stack cannot run without the emulator");
}

async function chooseLayout(sandbox: Sandbox): Promise<StackLayout> {
  const proxyPort = await firstFreePort(PROXY_PORT);
  if (proxyPort !== PROXY_PORT) print("port", `port ${PROXY_PORT} is taken: the pod uses ${proxyPort}`);
  return {
    folder: sandbox.folder,
    proxyPort,
    emulatorPort: await firstFreePort(EMULATOR_PORT),
    provisionerPort: await sandbox.port(),
    reloaderPort: await sandbox.port(),
    nginxStatusPort: await sandbox.port(),
  };
}

async function startEmulator(sandbox: Sandbox, layout: StackLayout, requested: AbortSignal): Promise<Child> {
  const emulator = await sandbox.node("emulator", emulatorArgs(layout));
  const isListening = () => emulator.exit() !== null || emulator.lines.some((line) => line.includes('"listening"'));
  await until("the emulator listens", isListening, { timeoutMs: EMULATOR_START_MS, signal: requested });
  if (emulator.exit() !== null) throw new Error(describeEmulatorExit(emulator));
  print("starting", `the Vast.ai emulator listens on ${emulatorUrl(layout)}`);
  return emulator;
}

function describeEmulatorExit(emulator: Child): string {
  const exit = emulator.exit();
  return `the emulator exited (${exit === null ? "no exit code" : describeExit(exit)})${quote(emulator.lines).join("")}`;
}

function helpFacts(layout: StackLayout, { provisioner, reloader, nginx }: Services) {
  const pids: Record<string, number> = {};
  for (const [name, service] of Object.entries({ nginx, reloader, provisioner })) {
    const child = service.child();
    if (child !== null) pids[name] = child.pid;
  }
  const { provisionerPort, reloaderPort } = layout;
  return { proxyUrl: proxyUrl(layout), emulatorUrl: emulatorUrl(layout), provisionerPort, reloaderPort, pids };
}

/** The order matters: first the provisioner, so that nothing more is created; then its instance; then the proxy. */
async function stopServices(sandbox: Sandbox, layout: StackLayout, services: Services, accountGone: boolean) {
  await stopService("provisioner", services.provisioner);
  if (!accountGone) {
    const destroy = await sandbox.node("destroy", ["dist/provisioner.mjs", "destroy", "--yes"], provisionerEnv(layout));
    destroy.onLine((line) => printLine("destroy", line));
    const exit = await destroy.exited;
    if (exit.code !== 0)
      print("destroy", `it failed (${describeExit(exit)}); the emulated account is removed with the emulator`);
  }
  await stopService("reloader", services.reloader);
  await stopService("nginx", services.nginx);
}

async function stopService(name: string, service: Service): Promise<void> {
  const exit = await service.stop();
  if (exit !== null && exit.code !== 0) print(name, `it exited with ${describeExit(exit)}`);
}

process.exitCode = await main();
process.exit();
