// The local stack as a user runs it: `npm run local` in the checkout, on the real ports.
import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { Child } from "../sandbox/child.ts";
import { processesWith } from "../sandbox/process-table.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";

// A boot takes 4 s in the emulator; the rest is for a machine on which other tests run.
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
  await npm?.stop(); // an orderly shutdown, also when a test failed in the middle
  npm = null;
  await sandbox.close();
});

/** Starts `npm run local` with its sandbox in the test's folder. */
async function runLocal(): Promise<Child> {
  const { PATH = "", HOME = "/" } = process.env;
  npm = await sandbox.start({ name: "npm", program: "npm", args: ["run", "local"], env: { PATH, HOME, TMPDIR: temp } });
  return npm;
}

const linesWith = (local: Child, text: string) => local.lines.filter((line) => line.includes(text));
const context = (local: Child) => ({ ...SLOW, context: () => local.lines.join("\n") });

async function untilReady(local: Child, times = 1): Promise<string> {
  const line = await until(
    `the pod is ready (${times})`,
    () => local.exit() !== null || linesWith(local, "the pod is ready").at(times - 1),
    context(local),
  );
  const url = /http:\S+/.exec(String(line))?.[0];
  if (url === undefined) throw new Error(`it exited:\n${local.lines.join("\n")}`);
  return url;
}

function emulatorOf(local: Child): string {
  const url = /(http:\S+)\/_emulator/.exec(linesWith(local, "/_emulator/")[0] ?? "")?.[1];
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

/** As a terminal does: each process of the foreground group gets the signal, and npm forwards it as well. */
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

test("the local stack serves an instance, replaces it when it is lost or wrong, and leaves nothing behind", async () => {
  const local = await runLocal();
  const url = await untilReady(local);
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
    "an instance with the desired image answers",
    async () => {
      const now = await ask(url);
      return now.instance !== second.instance && now;
    },
    context(local),
  );
  expect(third.image).toBe("example/app:2");

  const nginx = linesWith(local, "kill nginx")[0]?.match(/kill -9 (\d+)/)?.[1];
  process.kill(Number(nginx), "SIGKILL");
  await until("nginx is restarted", () => linesWith(local, "has process id").length > 0, context(local));
  expect((await until("the instance answers again", () => ask(url), context(local))).instance).toBe(third.instance);

  pressCtrlC(local);
  expect(await local.exited).toEqual({ code: 0, signal: null });
  expect(linesWith(local, `instance ${third.instance}`).some((line) => line.includes("is still being billed"))).toBe(
    true,
  );
  expect(linesWith(local, "Destroyed and verified")).not.toEqual([]);
  expect(local.lines.at(-1)).toContain("all processes are stopped and all temporary files are removed");
  await expectNothingLeft(url);
});

test.each(["starting", "creating"])(
  "stopped while it is %s, it leaves nothing behind either",
  async (word) => {
    const local = await runLocal();
    await until(`it is ${word}`, () => linesWith(local, ` ${word} `).length > 0, context(local));
    local.signal("SIGTERM"); // npm forwards it
    expect(await local.exited).toEqual({ code: 0, signal: null });
    expect(local.lines.at(-1)).toContain("all processes are stopped and all temporary files are removed");
    await expectNothingLeft();
  },
  120_000,
);

test("a second Ctrl-C stops it at once, and still leaves nothing behind", async () => {
  const local = await runLocal();
  const url = await untilReady(local);
  // The orderly shutdown waits until the list no longer has the instance, which now takes a minute.
  await control(`${emulatorOf(local)}/_emulator/settings`, { destroyLagSeconds: 60 });
  pressCtrlC(local);
  const pressedAt = Date.now();
  await until("it ends", () => linesWith(local, "is still being billed").length > 0, context(local));
  await until("a person would press again", () => Date.now() - pressedAt > 600); // see shutdown.ts
  pressCtrlC(local);
  expect((await local.exited).code).toBe(130);
  expect(linesWith(local, "Destroyed and verified")).toEqual([]);
  await expectNothingLeft(url);
});
