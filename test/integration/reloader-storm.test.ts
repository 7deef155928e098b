import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { formatUpstreamFile } from "../../common/upstream-file.ts";
import { openReloaderPod, type ReloaderPod, upstreamFile } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());

const WRITES = 1_000;
const STORM_MS = 2_000;
const FIRST_PORT = 20_000;
const text = (generation: number) =>
  formatUpstreamFile(
    upstreamFile({ generation, server: { scheme: "http", host: "127.0.0.1", port: FIRST_PORT + generation } }),
  );

/** Every way to change a file, as a function that writes the `generation`-th text. */
const WAYS: readonly [string, (folder: string) => (generation: number) => Promise<void>][] = [
  ["in place", (folder) => (generation) => writeFile(join(folder, "upstream.json"), text(generation))],
  [
    "by rename",
    (folder) => async (generation) => {
      await writeFile(join(folder, "upstream.json.tmp"), text(generation));
      await rename(join(folder, "upstream.json.tmp"), join(folder, "upstream.json"));
    },
  ],
  [
    // As the kubelet updates a ConfigMap: the file links into `..data`, which links to the newest folder.
    "by a swap of the folder that it links to",
    (folder) => async (generation) => {
      const at = (name: string) => join(folder, name);
      await mkdir(at(`..${generation}`));
      await writeFile(join(at(`..${generation}`), "upstream.json"), text(generation));
      await symlink(`..${generation}`, at("..data_tmp"));
      await rename(at("..data_tmp"), at("..data"));
      if (generation === 1) await symlink("..data/upstream.json", at("upstream.json"));
      await rm(at(`..${generation - 1}`), { recursive: true, force: true });
    },
  ],
];

describe("a thousand changes within two seconds", () => {
  test.each(WAYS)("%s: the last content is applied, with few reloads", async (_, way) => {
    pod = await openReloaderPod();
    const write = way(join(pod.upstreamPath, ".."));
    await write(1);
    await pod.startNginx();
    await pod.startReloader();
    await pod.applied(1);
    const before = await pod.reloadsOfNginx();
    const start = performance.now();
    for (let i = 1; i <= WRITES; i += 1) {
      await write(1 + i);
      // The pace of the changes, not a wait for something.
      const early = start + (i * STORM_MS) / WRITES - performance.now();
      if (early > 5) await delay(early);
    }
    const seconds = (performance.now() - start) / 1_000;
    const status = await pod.applied(1 + WRITES);
    expect(status.applied?.server?.port).toBe(FIRST_PORT + 1 + WRITES);
    expect(await pod.config()).toContain(`server 127.0.0.1:${FIRST_PORT + 1 + WRITES} `);
    expect(status.problem).toBeNull();
    // Two or three reloads if the changes never pause for 100 ms (which would count as their end): one at once, one a second,
    // one after the end. On a very busy machine at most as many as can settle one after the other, 100 ms each.
    expect((await pod.reloadsOfNginx()) - before).toBeLessThanOrEqual(2 + 10 * seconds);
  });
});

test("a change without a file event is found by the next poll", async () => {
  pod = await openReloaderPod();
  const elsewhere = await pod.sandbox.subfolder("elsewhere");
  for (const generation of [1, 2]) {
    await mkdir(join(elsewhere, String(generation)));
    await writeFile(join(elsewhere, String(generation), "upstream.json"), text(generation));
  }
  await symlink("1", join(elsewhere, "current"));
  await symlink(join(elsewhere, "current", "upstream.json"), pod.upstreamPath);
  await pod.startNginx();
  await pod.startReloader();
  await pod.applied(1);
  // Nothing that is watched changes: not the folder, the link or the first file.
  await symlink("2", join(elsewhere, "next"));
  await rename(join(elsewhere, "next"), join(elsewhere, "current"));
  await pod.applied(2);
});
