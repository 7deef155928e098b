import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { readIfExists } from "../../common/atomic-file.ts";
import { systemProcesses } from "../../reloader/nginx/processes.ts";
import { listWorkers } from "../../reloader/nginx/workers.ts";
import { isRunning } from "../sandbox/process-table.ts";
import { until } from "../sandbox/until.ts";
import { openReloaderPod, type ReloaderPod, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());
const serving = async () => {
  const started = await servingPod();
  pod = started.pod;
  return started;
};
const processes = systemProcesses();
const elsewhere = (port: number) => ({ scheme: "http", host: "127.0.0.1", port }) as const;

describe("an nginx that is stopped by SIGSTOP", () => {
  test("is not signalled and not reported until two checks have failed, and recovers when it continues", async () => {
    const { nginx } = await serving();
    const reloads = await pod.reloadsOfNginx();
    const config = await pod.config();
    const stopped = [...processes.children(nginx.master.pid), nginx.master.pid];
    for (const pid of stopped) process.kill(pid, "SIGSTOP");
    try {
      await pod.until("a look has failed", (s) => s.problem?.includes("did not answer"));
      const status = await pod.passes(1);
      expect(status.problem).toContain("did not answer");
      expect(status.applied?.generation).toBe(1);
    } finally {
      for (const pid of stopped) process.kill(pid, "SIGCONT");
    }
    await pod.until("all is well", (s) => s.problem === null);
    expect(await pod.config()).toBe(config);
    expect(await pod.reloadsOfNginx()).toBe(reloads);
    expect((await pod.get()).body).toBe("first");
  });

  test("during a reload gets all further changes in one more reload", async () => {
    const { nginx } = await serving();
    const last = await pod.instance("last");
    const reloads = await pod.reloadsOfNginx();
    nginx.master.signal("SIGSTOP");
    try {
      await pod.publish({ generation: 2, server: elsewhere(20_002) });
      await until("its reload has begun", async () => (await pod.config()).includes(":20002 "));
      for (const generation of [3, 4, 5]) await pod.publish({ generation, server: elsewhere(20_000 + generation) });
      await pod.publish({ generation: 6, server: last.server });
      expect((await pod.status()).applied?.generation).toBe(1);
    } finally {
      nginx.master.signal("SIGCONT");
    }
    await pod.applied(6);
    expect((await pod.get()).body).toBe("last");
    expect(await pod.reloadsOfNginx()).toBe(reloads + 2);
  });
});

describe("a signal", () => {
  test.each([
    ["sleeps", ["-c", "exec sleep 600"], "that is"],
    ["bears the title of nginx' master", ["-c", "exec -a 'nginx: master process nginx' sleep 600"], "in the program"],
  ])("never goes to a process that %s, whatever the pid file says", async (_, args, why) => {
    const { nginx } = await serving();
    const other = await pod.sandbox.start({ name: "other", program: "bash", args });
    await until("it is what it will be", () => processes.program(other.pid) === "sleep");
    await writeFile(pod.files.pidFile, `${other.pid}\n`);
    const second = await pod.instance("second");
    await pod.publish({ generation: 2, server: second.server });
    const status = await pod.until("nobody is signalled", (s) => s.problem?.includes(why));
    expect(status.problem).toContain(`${pod.files.pidFile} names "${other.pid}"`);
    expect(status.applied?.generation).toBe(1);
    expect(other.exit()).toBeNull();
    await writeFile(pod.files.pidFile, `${nginx.master.pid}\n`);
    await pod.applied(2);
    expect((await pod.get()).body).toBe("second");
    expect(other.exit()).toBeNull();
  });

  test("is never sent to a worker, whatever the pid file contains", async () => {
    const { nginx } = await serving();
    const worker = listWorkers(processes, nginx.master.pid, [])[0]?.pid ?? 0;
    await writeFile(pod.files.pidFile, `${worker}\n`);
    await pod.publish({ generation: 2, server: elsewhere(20_002) });
    await pod.until("nobody is signalled", (s) => s.problem?.includes("worker process"));
    expect(isRunning(worker)).toBe(true);
    expect((await pod.get()).body).toBe("first");
  });
});

describe("an nginx in a new container", () => {
  test("is found by its new pid file, whichever process has the old id now", async () => {
    const { nginx } = await serving();
    const second = await pod.instance("second");
    const reloads = await pod.reloadsOfNginx();
    await pod.killNginx(nginx);
    expect((await readIfExists(pod.files.pidFile))?.trim()).toBe(String(nginx.master.pid));
    await pod.publish({ generation: 2, server: second.server });
    await pod.until("a dead process is named", (s) => s.problem?.includes("no process has that id"));
    const other = await pod.sandbox.start({ name: "other", program: "sleep", args: ["600"] });
    await writeFile(pod.files.pidFile, `${other.pid}\n`);
    await pod.until("a stranger is named", (s) => s.problem?.includes("that is"));
    const next = await pod.startNginx();
    expect(next.master.pid).not.toBe(nginx.master.pid);
    await pod.applied(2);
    expect(await pod.reloadsOfNginx()).toBe(reloads);
    await pod.publish({ generation: 3, server: null });
    await pod.applied(3);
    expect(await pod.reloadsOfNginx()).toBe(reloads + 1);
    expect(other.exit()).toBeNull();
  });

  test("that cannot start with the new config gets the last good one, and its reason is on the status page", async () => {
    const { nginx } = await serving();
    const good = await pod.config();
    await pod.killNginx(nginx);
    await pod.publish({ generation: 2, server: elsewhere(20_002) });
    await until("the new config is written", async () => (await pod.config()).includes(":20002 "));
    const bad = `${pod.files.confFolder}/other.conf`;
    await writeFile(bad, "no_such_directive;\n");
    await expect(pod.startNginx()).rejects.toThrow("no_such_directive");
    const status = await pod.until("the refusal shows", (s) => s.refusals > 0);
    expect(status.problem).toContain('nginx does not start: unknown directive "no_such_directive"');
    expect(await pod.config()).toBe(good);
    await writeFile(bad, "");
    await pod.startNginx();
    await pod.applied(2);
  });
});

describe("an old worker", () => {
  test("that is stopped by SIGSTOP delays the change from being reported as applied until it exits", async () => {
    const { nginx } = await serving();
    const worker = listWorkers(processes, nginx.master.pid, [])[0]?.pid ?? 0;
    process.kill(worker, "SIGSTOP");
    try {
      await pod.publish({ generation: 2, server: elsewhere(20_002) });
      const status = await pod.until("it shows", (s) => s.problem?.includes("old workers"));
      expect(status.problem).toContain(`(pids ${worker})`);
      expect(status.applied?.generation).toBe(1);
      expect(status.desired?.generation).toBe(2);
    } finally {
      process.kill(worker, "SIGCONT");
    }
    expect((await pod.applied(2)).problem).toBeNull();
  });

  test("that still sends a long answer does not delay the change, and finishes the answer", async () => {
    pod = await openReloaderPod();
    let finish = () => undefined as unknown;
    const first = await pod.instance("first", (_, response) => {
      response.write("begun ");
      finish = () => response.end("and finished");
    });
    await pod.publish({ generation: 1, server: first.server });
    const nginx = await pod.startNginx();
    await pod.startReloader();
    await pod.applied(1);
    const workers = listWorkers(processes, nginx.master.pid, []).map(({ pid }) => pid);
    let body = "";
    const stream = new Promise<void>((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", port: pod.proxyPort, agent: false }, (response) => {
        response.setEncoding("utf8");
        response.on("data", (part: string) => (body += part));
        response.on("end", resolve).on("error", reject);
      });
      outgoing.on("error", reject).end();
    });
    await until("the answer has begun", () => body !== "");
    const second = await pod.instance("second");
    await pod.publish({ generation: 2, server: second.server });
    const status = await pod.applied(2);
    expect(status.lastReload?.settledMs).toBeLessThan(1_000);
    expect((await pod.get()).body).toBe("second");
    await until("only the one with the answer is left", () => workers.filter(isRunning).length === 1);
    finish();
    await stream;
    expect(body).toBe("begun and finished");
    await until("the old worker has left", () => !workers.some(isRunning));
  });
});
