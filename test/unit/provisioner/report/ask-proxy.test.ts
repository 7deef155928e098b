import { afterEach, expect, test } from "vitest";
import { createRegistry } from "../../../../common/metrics.ts";
import { type StatusServer, startStatusServer } from "../../../../common/status-server.ts";
import { createAskProxy } from "../../../../provisioner/report/ask-proxy.ts";
import { patientClock } from "../../../fakes/patient-clock.ts";

const health = () => ({ ok: true, why: "" });
let reloader: StatusServer | null = null;
afterEach(() => reloader?.close());

/** A reloader whose `/status` is this document; counts how often it is asked. */
async function reloaderWith(document: unknown) {
  const asked = { times: 0 };
  const status = () => {
    asked.times += 1;
    return document;
  };
  const source = { live: health, ready: health, status, metrics: createRegistry() };
  reloader = await startStatusServer(0, source, "RELOADER_STATUS_PORT");
  return { port: reloader.port, asked };
}

/** A clock whose time the test sets; its deadlines are real. */
function clockAt(time: { ms: number }) {
  return { ...patientClock, monotonic: () => time.ms };
}

test("shows what the reloader says that nginx serves", async () => {
  const server = { scheme: "http", host: "203.0.113.9", port: 41234 };
  const { port } = await reloaderWith({
    applied: { generation: 6, server, hash: "h" },
    state: "refused",
    problem: "nginx refuses the config",
  });
  const answer = await createAskProxy(port, patientClock)();
  expect(answer).toEqual({ appliedGeneration: 6, state: "refused", problem: "nginx refuses the config" });
});

test("asks at most every three seconds, whoever asks for the status", async () => {
  const { port, asked } = await reloaderWith({ applied: null, state: null, problem: null });
  const time = { ms: 0 };
  const ask = createAskProxy(port, clockAt(time));
  await Promise.all([ask(), ask(), ask()]);
  time.ms = 2999;
  await ask();
  expect(asked.times).toBe(1);
  time.ms = 3000;
  expect(await ask()).toEqual({ appliedGeneration: null, state: null, problem: null });
  expect(asked.times).toBe(2);
});

test("says that the reloader does not answer when it is down, or when it cannot start", async () => {
  const { port } = await reloaderWith({ state: "blocked", reason: "cannot_start", message: "m", failures: 1 });
  expect(await createAskProxy(port, patientClock)()).toBeNull();
  await reloader?.close();
  expect(await createAskProxy(port, patientClock)()).toBeNull();
});
