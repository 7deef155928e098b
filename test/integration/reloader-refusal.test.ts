import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openReloaderPod, type ReloaderPod, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());
const serving = async () => {
  const started = await servingPod();
  pod = started.pod;
  return started;
};

describe("a config that nginx rejects", () => {
  test("is rolled back at once with nginx' reason, and applied once nginx accepts it", async () => {
    await serving();
    const second = await pod.instance("second");
    const before = await pod.config();
    const bad = join(pod.files.confFolder, "other.conf");
    await writeFile(bad, "no_such_directive;\n");
    const published = performance.now();
    await pod.publish({ generation: 2, server: second.server });
    const status = await pod.until("the refusal shows", (s) => s.refusals > 0);
    // Long before the deadline of 10 s, when it would be detected without a log.
    expect(performance.now() - published).toBeLessThan(5_000);
    expect(status).toMatchObject({
      applied: { generation: 1 },
      desired: { generation: 2 },
      problem: expect.stringContaining('unknown directive "no_such_directive"'),
    });
    expect(await pod.config()).toBe(before);
    expect((await pod.get()).body).toBe("first");
    await rm(bad);
    await pod.applied(2);
    expect((await pod.get()).body).toBe("second");
  });

  test("never prevents nginx from starting: the last good config is restored on disk", async () => {
    const { nginx } = await serving();
    const bad = join(pod.files.confFolder, "other.conf");
    await writeFile(bad, "no_such_directive;\n");
    await pod.publish({ generation: 2, server: { scheme: "http", host: "127.0.0.1", port: 9 } });
    await pod.until("the refusal shows", (s) => s.refusals > 0);
    await pod.killNginx(nginx);
    await rm(bad);
    await pod.startNginx();
    await until("something is served again", async () => (await pod.get("/-/live")).status === 200);
  });

  test("is detected by the deadline without an error log, and the last good config is restored", async () => {
    pod = await openReloaderPod();
    const [first, second] = [await pod.instance("first"), await pod.instance("second")];
    await pod.publish({ generation: 1, server: first.server });
    await pod.startNginx();
    await pod.startReloader({ NGINX_ERROR_LOG: "" });
    await pod.applied(1);
    const good = await pod.config();
    const bad = join(pod.files.confFolder, "other.conf");
    await writeFile(bad, "no_such_directive;\n");
    await pod.publish({ generation: 2, server: second.server });
    const status = await pod.until("the refusal shows", (s) => s.refusals > 0);
    expect(status.problem).toContain("nginx did not load the config within 10 s");
    expect(status.problem).toContain("set NGINX_ERROR_LOG");
    expect(status).toMatchObject({ applied: { generation: 1 }, desired: { generation: 2 } });
    expect(await pod.config()).toBe(good);
    expect((await pod.get()).body).toBe("first");
    await rm(bad);
    await pod.applied(2);
  });
});
