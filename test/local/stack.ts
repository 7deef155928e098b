// The local stack without Docker: emulator, provisioner, reloader and stock nginx as processes of one sandbox, told line
// by line to a person and ended in order, so that nothing is left. Touches its sandbox and the terminal.
import { systemClock } from "../../common/clock.ts";
import type { Child } from "../sandbox/child.ts";
import { firstFreePort } from "../sandbox/ports.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { createEnding, ENDING_SIGNALS, type Ending } from "./ending.ts";
import { helpText } from "./help.ts";
import { formatShown, present } from "./presenter.ts";
import { type Readiness, watchReadiness } from "./readiness.ts";
import { describeExit, type Service } from "./service.ts";
import { type Services, startServices } from "./services.ts";
import { emulatorArgs, emulatorUrl, type Places, provisionerEnv, proxyUrl } from "./stack-settings.ts";

const PROXY_PORT = 3000; // the default of NGINX_LISTEN_PORT
const EMULATOR_PORT = 8090; // what its own documentation shows
// Many times what it takes: a machine that needs longer has a problem that a person should see.
const EMULATOR_START_MS = 20_000;
// Enough to see the error and what led to it.
const LAST_LINES = 8;

const startedAt = systemClock.now();
const say = (word: string, text: string) => console.log(formatShown(systemClock.now() - startedAt, { word, text }));
const sayLine = (program: string, line: string) => {
  const shown = present(program, line);
  if (shown !== null) say(shown.word, shown.text);
};
const READINESS: Readonly<Record<Readiness, (url: string) => string>> = {
  ready: (url) => `the pod answers on ${url}`,
  unready: (url) => `${url} answers 503 until an instance serves`,
  silent: (url) => `nobody listens on ${url}`,
};
const quote = (lines: readonly string[]) => lines.slice(-LAST_LINES).map((line) => `\n| ${line}`);

/** Opens the sandbox and closes it again, whatever happens in between. Answers the exit code. */
async function main(): Promise<number> {
  let sandbox: Sandbox | null = null;
  const ending = createEnding(systemClock, () => {
    sandbox?.closeNow();
    process.exit(130); // what a shell reports of a program that Ctrl-C ended
  });
  for (const signal of ENDING_SIGNALS) process.on(signal, ending.wish);
  // A terminal that is closed, or a pipe whose reader has left: there is nobody to show anything to.
  process.stdout.once("error", ending.wish).on("error", () => process.stdout.destroy());
  try {
    sandbox = await openSandbox("vast-pod-local-");
    await run(sandbox, ending);
    return 0;
  } catch (error) {
    if (ending.wished.aborted) return 0; // cut off in the middle of a start
    say("failed", error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    await sandbox?.close();
    say("ended", "no process and no file is left");
  }
}

/** Starts everything, tells what happens, and ends it in order at the wish. Throws when it cannot go on. */
async function run(sandbox: Sandbox, ending: Ending): Promise<void> {
  const places = await findPlaces(sandbox);
  const emulator = await startEmulator(sandbox, places, ending.wished);
  const gone = new AbortController();
  void emulator.exited.then(() => gone.abort());
  const over = AbortSignal.any([ending.wished, gone.signal]);
  const services = await startServices({ sandbox, places, clock: systemClock, say, sayLine });
  const url = proxyUrl(places);
  let helped = false;
  await watchReadiness(`${url}/-/ready`, systemClock, over, (readiness) => {
    say(readiness === "ready" ? "up" : "down", READINESS[readiness](url));
    if (!helped) console.log(`\n${helpText(helpFacts(places, services))}\n`);
    helped = true;
  });
  const emulatorDied = !ending.wished.aborted;
  if (emulatorDied) say("failed", describeDeath(emulator));
  say("ending", "first what costs money, then the rest (Ctrl-C again: all at once)");
  await endServices(sandbox, places, services, emulatorDied);
  await emulator.stop();
  if (emulatorDied) throw new Error("without the emulator there is no account to work with");
}

async function findPlaces(sandbox: Sandbox): Promise<Places> {
  const proxyPort = await firstFreePort(PROXY_PORT);
  if (proxyPort !== PROXY_PORT) say("port", `${PROXY_PORT} is taken, the pod will answer on ${proxyPort}`);
  return {
    folder: sandbox.folder,
    proxyPort,
    emulatorPort: await firstFreePort(EMULATOR_PORT),
    provisionerPort: await sandbox.port(),
    reloaderPort: await sandbox.port(),
    nginxStatusPort: await sandbox.port(),
  };
}

async function startEmulator(sandbox: Sandbox, places: Places, wished: AbortSignal): Promise<Child> {
  const emulator = await sandbox.node("emulator", emulatorArgs(places));
  const isListening = () => emulator.exit() !== null || emulator.lines.some((line) => line.includes('"listening"'));
  await until("the emulator listens", isListening, { timeoutMs: EMULATOR_START_MS, signal: wished });
  if (emulator.exit() !== null) throw new Error(describeDeath(emulator));
  say("starting", `the API that stands in for Vast.ai answers on ${emulatorUrl(places)}`);
  return emulator;
}

function describeDeath(emulator: Child): string {
  const exit = emulator.exit();
  return `the emulator ended (${exit === null ? "no exit code" : describeExit(exit)})${quote(emulator.lines).join("")}`;
}

function helpFacts(places: Places, { provisioner, reloader, nginx }: Services) {
  const pids: Record<string, number> = {};
  for (const [name, service] of Object.entries({ nginx, reloader, provisioner })) {
    const child = service.child();
    if (child !== null) pids[name] = child.pid;
  }
  const { provisionerPort, reloaderPort } = places;
  return { proxyUrl: proxyUrl(places), emulatorUrl: emulatorUrl(places), provisionerPort, reloaderPort, pids };
}

/** The order matters: the provisioner first, so that nothing is created any more; then its instance, then the proxy. */
async function endServices(sandbox: Sandbox, places: Places, services: Services, accountGone: boolean) {
  await end("provisioner", services.provisioner);
  if (!accountGone) {
    const destroy = await sandbox.node("destroy", ["dist/provisioner.mjs", "destroy", "--yes"], provisionerEnv(places));
    destroy.onLine((line) => sayLine("destroy", line));
    const exit = await destroy.exited;
    if (exit.code !== 0) say("destroy", `it failed (${describeExit(exit)}); the account ends with the emulator`);
  }
  await end("reloader", services.reloader);
  await end("nginx", services.nginx);
}

async function end(name: string, service: Service): Promise<void> {
  const exit = await service.stop();
  if (exit !== null && exit.code !== 0) say(name, `it ended with ${describeExit(exit)}`);
}

process.exitCode = await main();
process.exit();
