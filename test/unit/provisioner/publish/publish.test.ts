import { chmod, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Disk, systemDisk } from "../../../../common/disk.ts";
import { formatUpstreamFile, parseUpstreamFile } from "../../../../common/upstream-file.ts";
import { createPublisher } from "../../../../provisioner/publish/publish.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { temporaryFolder } from "../../../fakes/temporary-folder.ts";
import { observation, planned, row, SECOND, servingTrack, state } from "../plan/situation.ts";

const POD = "vast-pod-0";
const ready = planned({ seen: observation([row()]), state: state({ tracks: { 7835610: servingTrack() } }) });
const none = planned({});

/** A publisher on a folder; `again` starts another one there, as a restart does. */
async function publisherIn(folder?: string, lastGeneration = 0) {
  const where = folder ?? (await temporaryFolder());
  const path = join(where, "sub", "upstream.json");
  const clock = fakeClock();
  const publisher = createPublisher(path, POD, clock, () => lastGeneration);
  const started = await publisher.start();
  return { publisher, started, path, clock, again: (known = 0) => publisherIn(where, known) };
}
const textOf = (path: string) => readFile(path, "utf8");

describe("the upstream file", () => {
  test("holds the plan's result, readable for the reloader", async () => {
    const { publisher, path } = await publisherIn();
    const { changed, file } = await publisher.publish(ready);
    expect(changed).toBe(true);
    const parsed = parseUpstreamFile(await textOf(path));
    expect(parsed).toEqual({ ok: true, file });
    expect(file).toMatchObject({
      schema: 1,
      generation: 1,
      pod: POD,
      state: "ready",
      reason: "instance_ready",
      server: { scheme: "http", host: "203.0.113.9", port: 41234 },
      instance: { id: 7835610, hostId: 77001, machineId: 4821 },
      updatedAt: "2026-11-23T15:00:00.000Z",
    });
    expect((await stat(path)).mode & 0o777).toBe(0o644);
  });

  test("says where the pod is not ready although it is served, and nothing else of readiness", async () => {
    const { publisher, path } = await publisherIn();
    await publisher.publish({ ...ready, ready: true });
    expect(await textOf(path)).not.toContain('"ready":');
    expect((await publisher.publish({ ...ready, ready: false })).file).toMatchObject({ generation: 2, ready: false });
    expect(await publisher.publish({ ...ready, ready: false })).toMatchObject({ changed: false });
    expect((await publisher.publish({ ...ready, ready: true })).file).not.toHaveProperty("ready");
  });

  test("is not written again while its content is the same", async () => {
    const { publisher, path } = await publisherIn();
    await publisher.publish(ready);
    const before = await textOf(path);
    expect(await publisher.publish(ready)).toMatchObject({ changed: false, file: { generation: 1 } });
    expect(await textOf(path)).toBe(before);
  });

  test("counts its generations, also across restarts", async () => {
    const { publisher, again } = await publisherIn();
    await publisher.publish(ready);
    expect((await publisher.publish(none)).file.generation).toBe(2);
    const { publisher: next, started } = await again();
    expect(started).toMatchObject({ file: { generation: 2 }, problem: null });
    expect((await next.publish(ready)).file.generation).toBe(3);
  });

  test("never reuses a generation that the state knows, even if the file does not exist", async () => {
    const { publisher } = await publisherIn(undefined, 40);
    expect((await publisher.publish(ready)).file.generation).toBe(41);
  });

  test("is not written by a restart that finds the same content", async () => {
    const { publisher, again } = await publisherIn();
    await publisher.publish(ready);
    expect(await (await again()).publisher.publish(ready)).toMatchObject({ changed: false });
  });

  test.each(["edited by hand\n", ""])("is written again when somebody changed it: %j", async (edited) => {
    const { publisher, path } = await publisherIn();
    await publisher.publish(ready);
    await writeFile(path, edited);
    expect(await publisher.publish(ready)).toMatchObject({ changed: true, file: { generation: 2 } });
    expect(parseUpstreamFile(await textOf(path)).ok).toBe(true);
  });

  test("is touched while nothing changes, so that the reloader sees that its writer is alive", async () => {
    const { publisher, path, clock } = await publisherIn();
    await publisher.publish(ready);
    await utimes(path, 1, 1);
    await clock.advance(29 * SECOND);
    await publisher.publish(ready);
    expect((await stat(path)).mtimeMs).toBe(1000);
    await clock.advance(SECOND);
    await publisher.publish(ready);
    expect((await stat(path)).mtimeMs).toBe(clock.now());
  });

  test("keeps its content when it cannot be written", async () => {
    const { publisher, path } = await publisherIn();
    await publisher.publish(ready);
    const before = await textOf(path);
    await writeFile(join(path, "..", "in-the-way"), "");
    const blocked = createPublisher(join(path, "..", "in-the-way", "upstream.json"), POD, fakeClock(), () => 0);
    await expect(blocked.publish(none)).rejects.toThrow(/EEXIST|ENOTDIR/);
    expect(await textOf(path)).toBe(before);
  });
});

describe("on a full volume", () => {
  const full = (over: Partial<Disk> = {}): Disk => ({
    ...systemDisk,
    write: async () => {
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    },
    ...over,
  });
  const servingThenFull = async (disk: Disk) => {
    const { publisher, path } = await publisherIn();
    await publisher.publish(ready);
    const next = createPublisher(path, POD, fakeClock(), () => 0, disk);
    await next.start();
    return { path, next, before: await textOf(path) };
  };

  test("a dead server is withdrawn all the same, in the file that is there", async () => {
    const { path, next } = await servingThenFull(full());
    const { changed, file } = await next.publish(none);
    expect(changed).toBe(true);
    expect(parseUpstreamFile(await textOf(path))).toEqual({ ok: true, file });
    expect(file).toMatchObject({ generation: 2, server: null });
    await expect(next.publish({ ...none, message: "another" })).rejects.toThrow("ENOSPC");
    await expect(next.publish(ready)).rejects.toThrow("ENOSPC");
    expect(parseUpstreamFile(await textOf(path))).toEqual({ ok: true, file });
  });

  test("a server that has moved is served at its new address, in the file that is there", async () => {
    const { path, next } = await servingThenFull(full());
    const moved = { ...ready, server: { scheme: "http", host: "203.0.113.77", port: 40001 } as const };
    const { changed, file } = await next.publish(moved);
    expect(changed).toBe(true);
    expect(parseUpstreamFile(await textOf(path))).toEqual({ ok: true, file });
    expect(file).toMatchObject({ generation: 2, server: { host: "203.0.113.77" } });
    await expect(next.publish({ ...moved, message: "another" })).rejects.toThrow("ENOSPC");
    expect(parseUpstreamFile(await textOf(path))).toEqual({ ok: true, file });
  });

  test("the error is that of the volume when the file cannot be overwritten either, and the file is as before", async () => {
    const overwrite = async () => {
      throw new Error("EROFS: read-only file system");
    };
    const { path, next, before } = await servingThenFull(full({ overwrite }));
    await expect(next.publish(none)).rejects.toThrow("ENOSPC");
    expect(await textOf(path)).toBe(before);
  });
});

describe("at the start", () => {
  test("there may be no file", async () => {
    expect((await publisherIn()).started).toEqual({ file: null, problem: null });
  });

  test.each([
    ["{", /not JSON/],
    ['{"schema":9}', /newer/],
    ['{"schema":1}', /generation/],
  ])("an unusable file is reported and written again: %s", async (text, problem) => {
    const { publisher, path, again } = await publisherIn();
    await publisher.publish(ready);
    await writeFile(path, text);
    const { started, publisher: next } = await again(5);
    expect(started.file).toBeNull();
    expect(started.problem).toMatch(problem);
    expect((await next.publish(ready)).file.generation).toBe(6);
  });

  test("the file of another pod is not used", async () => {
    const { publisher, path, again } = await publisherIn();
    const { file } = await publisher.publish(ready);
    await writeFile(path, formatUpstreamFile({ ...file, pod: "vast-pod-1" }));
    expect((await again()).started).toMatchObject({ file: null, problem: expect.stringContaining("vast-pod-1") });
  });

  test("only the temporary files of a killed writer are removed", async () => {
    const { publisher, path, again } = await publisherIn();
    await publisher.publish(ready);
    const folder = join(path, "..");
    await writeFile(join(folder, ".upstream.json.abc123.tmp"), "half");
    await writeFile(join(folder, ".other.json.abc123.tmp"), "not ours");
    await again();
    expect((await readdir(folder)).sort()).toEqual([".other.json.abc123.tmp", "upstream.json"]);
  });

  test("the mode of the file does not depend on the umask", async () => {
    const before = process.umask(0o077);
    try {
      const { publisher, path } = await publisherIn();
      await chmod(join(path, ".."), 0o755);
      await publisher.publish(ready);
      expect((await stat(path)).mode & 0o777).toBe(0o644);
    } finally {
      process.umask(before);
    }
  });
});
