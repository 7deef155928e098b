// The command `history`, beside a provisioner that runs and after it has stopped.
import { expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod } from "./pod.ts";

test("history shows what the running provisioner says, and afterwards what its state file holds", async () => {
  const pod = await openPod({ timeScale: 1, bootSeconds: 1 });
  const history = async (args: readonly string[] = [], more: Record<string, string> = {}) => {
    const child = await pod.provision({ VAST_API_KEY: "", ...more }, ["history", ...args]);
    const { code } = await child.exited;
    return { code, lines: child.lines, text: child.lines.join("\n") };
  };
  try {
    const none = await history();
    expect([none.code, none.text]).toEqual([1, expect.stringContaining("there is no state file")]);

    const provisioner = await pod.provision();
    const id = (await pod.ready()).instance?.id;
    await until("the status shows it", async () => (await pod.status()).state === "ready");
    const running = await history();
    expect([running.code, running.lines[0]]).toEqual([0, `${pod.label}   as the provisioner here says`]);
    expect(running.lines.at(-1)).toMatch(new RegExp(` ready +instance_ready +${id} +`));
    // It needs nothing to find a provisioner that runs.
    expect((await history([], { POD_NAME: "" })).code).toBe(0);
    await provisioner.stop();

    const stopped = JSON.parse((await history(["-o", "json", "--last", "1"])).text);
    expect(stopped).toEqual({
      schema: 1,
      label: pod.label,
      from: "state_file",
      history: [expect.objectContaining({ state: "ready", reason: "instance_ready", instanceId: id })],
    });
    const other = await history([], { POD_NAME: "vast-pod-9" });
    expect([other.code, other.text]).toEqual([1, expect.stringContaining(`belongs to the label ${pod.label}`)]);
  } finally {
    await pod.close();
  }
});
