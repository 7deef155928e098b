// A module that a program loads stays in memory as long as the pod runs.
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod } from "./pod.ts";

const LIST = `process.on("exit", () => console.log("loaded: " + process.moduleLoadList.join()));`;
const UNDICI = "internal/deps/undici/undici";

test("the provisioner works without Node's own HTTP client, which axios loads for an adapter that is not used", async () => {
  const pod = await openPod({ timeScale: 1, bootSeconds: 1 });
  try {
    const loaded = async (...args: string[]) => {
      const child = await pod.sandbox.node("program", ["--import", `data:text/javascript,${LIST}`, ...args], pod.env());
      if (args.includes("dist/provisioner.mjs")) {
        await pod.ready();
        await child.stop();
      }
      await child.exited;
      return child.lines.find((line) => line.startsWith("loaded: "));
    };
    expect(await loaded("--eval", "FormData")).toContain(UNDICI);
    const provisioner = await loaded("dist/provisioner.mjs");
    expect(provisioner).toContain("NativeModule https");
    expect(provisioner).not.toContain(UNDICI);
  } finally {
    await pod.close();
  }
});

test("the provisioner loads neither its commands nor its page before somebody asks for them", async () => {
  const pod = await openPod();
  try {
    const folder = await pod.sandbox.subfolder("without-page");
    const files = readdirSync("dist").filter((name) => name.startsWith("provisioner"));
    const isPage = (name: string) => name.startsWith("provisioner-page-");
    const isCommand = (name: string) => name.startsWith("provisioner-commands-");
    expect(files.filter(isPage)).toHaveLength(1);
    expect(files.filter(isCommand).length).toBeGreaterThan(1);
    for (const name of files) if (!isPage(name) && !isCommand(name)) cpSync(join("dist", name), join(folder, name));
    await pod.sandbox.node("provisioner", [join(folder, "provisioner.mjs"), "run"], pod.env());
    await pod.ready();
    await until("the status shows it", async () => (await pod.status()).state === "ready");
    const page = await fetch(`http://127.0.0.1:${pod.env().PROVISIONER_STATUS_PORT}/`);
    expect(page.status).toBe(500);
    expect(await page.text()).toContain("provisioner-page-");
  } finally {
    await pod.close();
  }
});

test.each(["provisioner", "reloader"])("a start of the %s loads few files: each one costs a millisecond", (program) => {
  const files = readdirSync("dist").filter((name) => name.startsWith(`${program}-run-`));
  expect(files.filter((name) => !name.includes("-chunk-")).length).toBeGreaterThan(1);
  expect(files.filter((name) => name.includes("-chunk-")).length).toBeLessThanOrEqual(6);
});
