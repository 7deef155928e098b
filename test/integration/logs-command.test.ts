// The command `logs`, against the emulator.
import { expect, test } from "vitest";
import { openPod, REGISTRY_PASSWORD } from "./pod.ts";

test("logs prints what the container said, and what its host said, without secrets and control characters", async () => {
  const pod = await openPod({ timeScale: 1, bootSeconds: 1 });
  const logs = (...args: string[]) => logsWith({}, ...args);
  const logsWith = async (env: Record<string, string>, ...args: string[]) => {
    const child = await pod.provision(env, ["logs", ...args]);
    const { code } = await child.exited;
    return { code, text: child.lines.join("\n") };
  };
  try {
    expect(await logs()).toMatchObject({ code: 1, text: expect.stringContaining("no instance has the label") });
    expect(await logsWith({ VAST_API_KEY: "a-wrong-key" })).toMatchObject({
      code: 1,
      text: expect.stringMatching(/the instances are unknown \(the API refuses VAST_API_KEY: set a valid key/),
    });
    await pod.provision();
    const id = (await pod.ready()).instance?.id;

    expect(await logs()).toMatchObject({
      code: 0,
      text: expect.stringMatching(/starting example\/app:2\n.* listening on /),
    });
    const json = await logs("--tail", "1", "-o", "json");
    expect(JSON.parse(json.text.split("\n").at(-1) ?? "")).toEqual({
      schema: 1,
      instanceId: id,
      of: "container",
      lines: [expect.stringContaining("listening on")],
    });
    expect(await logs("-o", "name")).toEqual({ code: 0, text: String(id) });
    expect((await logs("--filter", "nothing like it")).text).toContain("The log is empty.");
    expect(await logs("--instance", "1")).toMatchObject({
      code: 1,
      text: expect.stringContaining("no instance 1 has"),
    });

    const text = `login \u001b[2J-p ${REGISTRY_PASSWORD} TOKEN=abc refused`;
    await pod.emulator.event("any", "exit", { text });
    const daemon = await logs("--daemon");
    expect(daemon.text).toContain("login -p [secret] TOKEN=[secret] refused");
    const calls = (await pod.emulator.requests()).filter(({ path }) => path.includes("request_logs"));
    expect(calls.length).toBe(4);
  } finally {
    await pod.close();
  }
});
