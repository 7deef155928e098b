// What both programs log on a real terminal, and into a pipe.
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await openPod({ timeScale: 1, bootSeconds: 1 });
});
afterEach(() => pod.close());

/** Starts a program on a terminal of its own. */
const onTerminal = (command: string, more: Record<string, string> = {}) =>
  pod.sandbox.start({
    name: "terminal",
    program: "script",
    args: ["--quiet", "--return", "--flush", "--command", `${process.execPath} ${command}`, "/dev/null"],
    env: { TERM: "xterm", ...pod.env(more) },
  });

test("the provisioner logs text for people on a terminal, and JSON into a pipe", async () => {
  const child = await onTerminal("dist/provisioner.mjs run", { VAST_POLICY: "observe", NO_COLOR: "1" });
  const lines = () => child.lines.map((line) => line.trimEnd());
  await until(
    "it has started",
    () => lines().some((line) => /^\d\d:\d\d:\d\d {2}starting {5}the provisioner starts$/.test(line)),
    {
      context: () => child.lines.join("\n"),
    },
  );
  expect(lines().filter((line) => line.startsWith("{"))).toEqual([]);
  expect(child.lines.join("")).not.toContain("\u001b");
  await child.stop();

  const piped = await pod.provision({ VAST_POLICY: "observe" });
  await until("it has started", () => piped.lines.some((line) => line.includes('"event":"start"')));
  for (const line of piped.lines) expect(JSON.parse(line)).toMatchObject({ app: "vast-provisioner" });
});

test("LOG_FORMAT decides whatever the output is, and NO_COLOR only about colours", async () => {
  const json = await onTerminal("dist/reloader.mjs run", {
    LOG_FORMAT: "json",
    NGINX_CONFIG_PATH: `${pod.sandbox.folder}/a.conf`,
  });
  await until("it has started", () => json.lines.some((line) => line.includes('"event":"start"')));
  await json.stop();

  const coloured = await onTerminal("dist/provisioner.mjs run", { VAST_TEMPLATE_NAME: "missing" });
  await until("a warning is coloured", () => coloured.lines.some((line) => line.startsWith("\u001b[33m")), {
    context: () => coloured.lines.join("\n"),
  });
  await coloured.stop();

  const pretty = await pod.provision({ VAST_POLICY: "observe", LOG_FORMAT: "pretty" });
  await until("it has started", () => pretty.lines.some((line) => line.endsWith("  the provisioner starts")));
  expect(pretty.lines.join("")).not.toContain("\u001b");
});
