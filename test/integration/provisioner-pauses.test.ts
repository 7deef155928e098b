// Time in which nobody looked is not silence of the instance: a real program that is stopped with SIGSTOP, and one that was down.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;

// Longer than the few looks after a pause, shorter than the pauses below; both in seconds of the sped-up clocks.
const UNREACHABLE_SECONDS = 80;
const TIME_SCALE = 8;
const PAUSE_MS = (1.5 * UNREACHABLE_SECONDS * 1000) / TIME_SCALE;

beforeEach(async () => {
  pod = await openPod({
    timeScale: TIME_SCALE,
    env: { VAST_UNREACHABLE_TIMEOUT_SECONDS: String(UNREACHABLE_SECONDS), VAST_HEALTH_PATH: "" },
  });
});
afterEach(() => pod.close());

// The pause itself is what is tested: there is nothing else to wait for.
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
const passes = async () => Number((await pod.status()).passes);
const destroys = async () => (await pod.emulator.mutations()).filter((one) => one.method === "DELETE");

/** A pod whose instance has just stopped answering. */
async function silentPod(): Promise<Child> {
  const program = await pod.provision();
  await pod.ready();
  await pod.emulator.event("any", "mute");
  await pod.until("it does not answer", (file) => file.reason === "instance_unreachable");
  return program;
}

/** The instance answers again after a few more looks, and is served. */
async function comesBack(looks: number): Promise<void> {
  const before = await until("it looks", passes);
  await until("more looks were made", async () => (await passes()) >= before + looks);
  expect(await destroys()).toEqual([]);
  await pod.emulator.event("any", "unmute");
  await pod.ready();
  expect(await destroys()).toEqual([]);
}

test("an instance that does not answer the first looks after a pause of the program is kept", async () => {
  const program = await silentPod();
  program.signal("SIGSTOP");
  await pause();
  program.signal("SIGCONT");
  await comesBack(2);
});

test("an instance that does not answer the first looks after the program was down is kept", async () => {
  const program = await silentPod();
  program.signal("SIGKILL");
  await program.exited;
  await pause();
  await pod.provision();
  await comesBack(2);
});

test("an instance that goes on being silent after a pause is replaced when its time is over", async () => {
  const program = await silentPod();
  program.signal("SIGSTOP");
  await pause();
  program.signal("SIGCONT");
  await until("it is destroyed", async () => (await destroys()).length > 0, { timeoutMs: 40_000 });
});
