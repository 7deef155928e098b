// Failing volumes, without mounts: a file size limit stops a write in the middle, as a full volume does, and root without
// CAP_DAC_OVERRIDE cannot write to a read-only folder, like any other user.
import { spawnSync } from "node:child_process";
import { chmod, readdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openReloaderPod, type ReloaderPod, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());

/** Sets the largest file that the process may write, in bytes. */
function limitFiles(pid: number, bytes: string): void {
  const { status, stderr } = spawnSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:`], { encoding: "utf8" });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

/** A pod that serves "first", with a reloader that can create no file in the folder of the config. Returns another instance. */
async function servingWithoutNewFiles() {
  pod = await openReloaderPod();
  const [first, second] = [await pod.instance("first"), await pod.instance("second")];
  await pod.publish({ generation: 1, server: first.server });
  await pod.startNginx();
  await pod.startReloader({}, process.getuid?.() === 0 ? ["--bounding-set=-dac_override"] : []);
  await pod.applied(1);
  await chmod(pod.files.confFolder, 0o555);
  return second;
}

describe("a config volume", () => {
  test("that is full keeps the last good config, says so, and recovers", async () => {
    const started = await servingPod();
    pod = started.pod;
    const good = await pod.config();
    const second = await pod.instance("second");
    limitFiles(started.reloader.pid, "16");
    await pod.publish({ generation: 2, server: second.server });
    const status = await pod.until("the problem shows", (s) => s.problem?.includes("cannot be written"));
    expect(status.problem).toContain(`${pod.configPath} cannot be written (EFBIG)`);
    expect(status).toMatchObject({ applied: { generation: 1 }, desired: { generation: 2 } });
    expect(await pod.metrics()).toMatch(/vast_pod_applied_state\{state="disk",pod="[^"]+"\} 1\n/);
    expect(await pod.config()).toBe(good);
    // Every retry writes a temporary file and removes it again.
    await until("no temporary file is left", async () => {
      const names = await readdir(pod.files.confFolder);
      return names.sort().join() === "default.conf,default.conf.good";
    });
    expect((await pod.get()).body).toBe("first");
    const told = started.reloader.lines.filter((line) => line.includes("the desired config is not applied"));
    expect(told).toHaveLength(1);
    limitFiles(started.reloader.pid, "unlimited");
    expect((await pod.applied(2)).problem).toBeNull();
    expect((await pod.get()).body).toBe("second");
  });

  test("that fills up while nginx rejects a config still gets the last good config back", async () => {
    const started = await servingPod();
    pod = started.pod;
    const good = await pod.config();
    // nginx is stopped, so that there is time between the write and the rejection.
    started.nginx.master.signal("SIGSTOP");
    await writeFile(join(pod.files.confFolder, "other.conf"), "no_such_directive;\n");
    await pod.publish({ generation: 2, server: { scheme: "http", host: "127.0.0.1", port: 20_002 } });
    await until("its reload has begun", async () => (await pod.config()).includes(":20002 "));
    limitFiles(started.reloader.pid, "16");
    started.nginx.master.signal("SIGCONT");
    const status = await pod.until("the refusal shows", (s) => s.refusals > 0);
    expect(status.problem).toContain("no_such_directive");
    expect(status.problem).not.toContain("cannot be restored");
    expect(await pod.config()).toBe(good);
  });

  test("that is read-only keeps the last good config, says so, and recovers", async () => {
    const second = await servingWithoutNewFiles();
    await chmod(pod.configPath, 0o444);
    await pod.publish({ generation: 2, server: second.server });
    const status = await pod.until("the problem shows", (s) => s.problem?.includes("cannot be written"));
    expect(status.problem).toContain("(EACCES): let the reloader's user write in that folder");
    expect(status.applied?.generation).toBe(1);
    expect((await pod.get()).body).toBe("first");
    await chmod(pod.files.confFolder, 0o755);
    expect((await pod.applied(2)).problem).toBeNull();
  });

  test("that takes no new file follows another server and a withdrawal all the same", async () => {
    const second = await servingWithoutNewFiles();
    await pod.publish({ generation: 2, server: second.server });
    expect((await pod.applied(2)).problem).toBeNull();
    expect((await pod.get()).body).toBe("second");
    await pod.publish({ generation: 3, server: null });
    await pod.applied(3);
    expect((await pod.get()).status).toBe(503);
    await chmod(pod.files.confFolder, 0o755);
  });

  test("that disappears does not affect what nginx serves, and is filled again when it is back", async () => {
    pod = (await servingPod()).pod;
    const good = await pod.config();
    const away = `${pod.files.confFolder}-away`;
    await rename(pod.files.confFolder, away);
    const status = await pod.until("the problem shows", (s) => s.problem?.includes("cannot be written"));
    expect(status.problem).toContain("(ENOENT): mount a volume for that folder");
    expect(status.applied?.generation).toBe(1);
    expect((await pod.get()).body).toBe("first");
    await rename(away, pod.files.confFolder);
    await pod.until("all is well", (s) => s.problem === null);
    expect(await pod.config()).toBe(good);
  });
});

test("the workers, which run as another user in the stock image, can read every file, and the folder is unchanged", async () => {
  pod = (await servingPod()).pod;
  await chmod(pod.files.confFolder, 0o751);
  await pod.publish({ generation: 2, server: null });
  await pod.applied(2);
  for (const name of await readdir(pod.files.confFolder)) {
    expect([name, (await stat(join(pod.files.confFolder, name))).mode & 0o777]).toEqual([name, 0o644]);
  }
  expect((await stat(pod.files.confFolder)).mode & 0o7777).toBe(0o751);
});
