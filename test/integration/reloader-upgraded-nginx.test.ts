// nginx upgraded in place: SIGUSR2 starts a second master, and the workers of both take requests.
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { readIfExists } from "../../common/atomic-file.ts";
import { findProgram } from "../sandbox/programs.ts";
import { until } from "../sandbox/until.ts";
import { openReloaderPod, type ReloaderPod, type Status } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());

/**
 * nginx in the background of a shell that outlives it, because the new master must not be ended together with the old one. It
 * ignores SIGUSR2 while the process that started it runs, so that one is another shell which exits soon.
 */
async function startBelowShell(): Promise<number> {
  const { master, folder, errorLog, stdout } = await pod.startNginx();
  await master.stop();
  const nginx = `${findProgram("nginx", process.env)} -p ${folder} -c ${join(folder, "nginx.conf")} -e ${errorLog}`;
  await pod.sandbox.start({
    name: "shell",
    program: "sh",
    args: ["-c", `(${nginx} & sleep 0.5); exec sleep 600`],
    outputFile: stdout,
  });
  return until("nginx has written its pid file", async () => masterId());
}

async function masterId(): Promise<number | null> {
  return Number(await readIfExists(pod.files.pidFile)) || null;
}

test("nothing is reported as applied while workers of the old master answer, and the remedy works", async () => {
  pod = await openReloaderPod();
  const [first, second] = [await pod.instance("first"), await pod.instance("second")];
  const old = await startBelowShell();
  await pod.publish({ generation: 1, server: first.server });
  await pod.startReloader();
  await pod.applied(1);
  await until("there is a new master", async () => {
    process.kill(old, "SIGUSR2");
    return ((await masterId()) ?? old) !== old;
  });
  await pod.publish({ generation: 2, server: second.server });
  // It may show before the file of the second generation has been read.
  const showsOld = (s: Status) => s.desired?.generation === 2 && s.problem?.includes("upgraded in place");
  const status = await pod.until("the old master shows", showsOld);
  expect(status.problem).toContain(`(kill -QUIT ${old})`);
  await until("the new workers answer", async () => (await pod.get()).body === "second");
  expect((await pod.passes(2)).applied?.generation).toBe(1);
  process.kill(old, "SIGQUIT");
  expect((await pod.applied(2)).problem).toBeNull();
  const answers = await Promise.all(Array.from({ length: 40 }, () => pod.get()));
  expect(answers.filter(({ body }) => body !== "second")).toEqual([]);
});
