// A module that a program loads stays in memory as long as the pod runs.
import { expect, test } from "vitest";
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
