// The local stack as a user runs it: `npm run local` in the checkout, on the real ports.
import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { Child } from "../sandbox/child.ts";
import { processesWith } from "../sandbox/process-table.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";

// A boot takes 4 s of the emulator's time; the rest is for a machine on which other tests run beside.
const SLOW = { timeoutMs: 60_000 };
const echo = z.object({ instance: z.number(), image: z.string(), method: z.string(), url: z.string() });

let sandbox: Sandbox;
let temp: string;
let npm: Child | null = null;
beforeEach(async () => {
  sandbox = await openSandbox();
  temp = await sandbox.subfolder("temp");
});
afterEach(async () => {
  await npm?.stop(); // time for a polite end, should a test have failed in the middle
  npm = null;
  await sandbox.close();
});

/** Starts it and makes sure that its sandbox lies in a folder of ours. */
async function runLocal(): Promise<Child> {
  const { PATH = "", HOME = "/" } = process.env;
  npm = await sandbox.start({ name: "npm", program: "npm", args: ["run", "local"], env: { PATH, HOME, TMPDIR: temp } });
  return npm;
}

const told = (local: Child, text: string) => local.lines.filter((line) => line.includes(text));
const context = (local: Child) => ({ ...SLOW, context: () => local.lines.join("\n") });

async function untilUp(local: Child, times = 1): Promise<string> {
  const line = await until(
    `the pod is up (${times})`,
    () => local.exit() !== null || told(local, "the pod answers on").at(times - 1),
    context(local),
  );
  const url = /http:\S+/.exec(String(line))?.[0];
  if (url === undefined) throw new Error(`it ended:\n${local.lines.join("\n")}`);
  return url;
}

function emulatorOf(local: Child): string {
  const url = /(http:\S+)\/_emulator/.exec(told(local, "/_emulator/")[0] ?? "")?.[1];
  if (url === undefined) throw new Error("the help does not name the emulator");
  return url;
}

async function ask(url: string) {
  const response = await fetch(`${url}/any/path?q=1`);
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return echo.parse(await response.json());
}

const control = async (url: string, body?: unknown) => {
  const sent =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  expect((await fetch(url, { method: "POST", ...sent })).status).toBeLessThan(300);
};

/** As a terminal does it: each process of the foreground group gets the signal, and npm passes it on besides. */
function pressCtrlC(local: Child): void {
  process.kill(-local.pid, "SIGINT");
}

async function expectNothingLeft(url?: string): Promise<void> {
  expect(readdirSync(temp).filter((name) => name.startsWith("vast-pod-local-"))).toEqual([]);
  await until("its processes are gone", () => processesWith(temp).length === 0, {
    context: () => `left: ${processesWith(temp).join(", ")}`,
  });
  if (url !== undefined) await expect(fetch(url)).rejects.toThrow();
}

test("the local stack serves the instance, heals it, follows it, and leaves nothing behind", async () => {
  const local = await runLocal();
  const url = await untilUp(local);
  const first = await ask(url);
  expect(first).toMatchObject({ method: "GET", url: "/any/path?q=1", image: "example/app:2" });
  const emulator = emulatorOf(local);

  await control(`${emulator}/_emulator/instances/any/kill`);
  const second = await until(
    "another instance answers",
    async () => {
      const now = await ask(url);
      return now.instance !== first.instance && now;
    },
    context(local),
  );

  await control(`${emulator}/_emulator/instances/any/image`, { image: "other/app:9" });
  const third = await until(
    "an instance with the wanted image answers",
    async () => {
      const now = await ask(url);
      return now.instance !== second.instance && now;
    },
    context(local),
  );
  expect(third.image).toBe("example/app:2");

  const nginx = told(local, "kill nginx")[0]?.match(/kill -9 (\d+)/)?.[1];
  process.kill(Number(nginx), "SIGKILL");
  await until("nginx is started again", () => told(local, "is process").length > 0, context(local));
  expect((await until("the instance answers again", () => ask(url), context(local))).instance).toBe(third.instance);

  pressCtrlC(local);
  expect(await local.exited).toEqual({ code: 0, signal: null });
  expect(told(local, `instance ${third.instance}`).some((line) => line.includes("is still being billed"))).toBe(true);
  expect(told(local, "Destroyed and verified")).not.toEqual([]);
  expect(local.lines.at(-1)).toContain("no process and no file is left");
  await expectNothingLeft(url);
}, 240_000);

test.each(["starting", "creating"])(
  "ended while it is %s, it leaves nothing behind either",
  async (word) => {
    const local = await runLocal();
    await until(`it is ${word}`, () => told(local, ` ${word} `).length > 0, context(local));
    local.signal("SIGTERM"); // npm passes it on
    expect(await local.exited).toEqual({ code: 0, signal: null });
    expect(local.lines.at(-1)).toContain("no process and no file is left");
    await expectNothingLeft();
  },
  120_000,
);

test("a second Ctrl-C ends it at once, and still leaves nothing behind", async () => {
  const local = await runLocal();
  const url = await untilUp(local);
  // The polite end waits until the list lacks the instance, which it now does not for a minute.
  await control(`${emulatorOf(local)}/_emulator/settings`, { destroyLagSeconds: 60 });
  pressCtrlC(local);
  const pressedAt = Date.now();
  await until("it ends", () => told(local, "is still being billed").length > 0, context(local));
  await until("a person would press again", () => Date.now() - pressedAt > 600); // see ending.ts
  pressCtrlC(local);
  expect((await local.exited).code).toBe(130);
  expect(told(local, "Destroyed and verified")).toEqual([]);
  await expectNothingLeft(url);
}, 120_000);
