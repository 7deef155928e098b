import { describe, expect, test } from "vitest";
import { Applier } from "../../../../reloader/apply/apply.ts";
import { ConfigFiles } from "../../../../reloader/apply/config-files.ts";
import type { Config } from "../../../../reloader/render/render.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { CONFIG, FakeDisk, FakeNginx, GOOD } from "../fake-nginx.ts";
import { configFor, server } from "../samples.ts";

const A = configFor(server(1));
const B = configFor(server(2));
const NONE = configFor(null);

async function setUp() {
  const clock = fakeClock();
  const disk = new FakeDisk();
  const nginx = new FakeNginx(clock, disk);
  const files = new ConfigFiles({ configPath: CONFIG, goodPath: GOOD }, disk);
  const applier = new Applier({ clock, nginx, files, log: nginx });
  const stop = new AbortController();
  const ensure = (config: Config) => clock.drive(applier.ensure(config, stop.signal));
  return { clock, disk, nginx, files, ensure, stop, applier };
}

/** nginx runs `config`, proven. */
async function running(config: Config) {
  const world = await setUp();
  world.nginx.start();
  expect(await world.ensure(config)).toMatchObject({ kind: "settled" });
  world.nginx.reloads = 0;
  world.disk.writes.length = 0;
  return world;
}

describe("a config that nginx takes", () => {
  test("is settled only when no old worker takes requests any more", async () => {
    const { nginx, ensure } = await running(A);
    expect(await ensure(B)).toMatchObject({ kind: "settled", reload: { acceptedMs: expect.any(Number) } });
    expect(nginx.running()).toEqual([B.hash]);
  });

  test("is reported with both durations, counted from the signal", async () => {
    const { ensure } = await running(A);
    const outcome = await ensure(B);
    if (outcome.kind !== "settled" || outcome.reload === null) throw new Error("expected a reload");
    expect(outcome.reload.acceptedMs).toBeGreaterThanOrEqual(5);
    expect(outcome.reload.acceptedMs).toBeLessThan(20);
    expect(outcome.reload.settledMs).toBeGreaterThanOrEqual(105);
    expect(outcome.reload.settledMs).toBeLessThan(120);
  });

  test("is kept beside as the good one once it is settled", async () => {
    const { disk, ensure } = await running(A);
    await ensure(B);
    expect(disk.files.get(GOOD)).toBe(B.text);
    expect(disk.writes).toEqual([CONFIG, GOOD]);
  });

  test("is not reloaded again while the bytes are right and nginx echoes the hash", async () => {
    const { nginx, disk, ensure } = await running(A);
    expect(await ensure(A)).toEqual({ kind: "settled", reload: null, why: null });
    expect(nginx.reloads).toBe(0);
    expect(disk.writes).toEqual([]);
  });

  test("stays accepted, not rolled back, while an old worker is stuck, and settles when it leaves", async () => {
    const { nginx, disk, ensure } = await running(A);
    nginx.stuck = true;
    expect(await ensure(B)).toMatchObject({ kind: "settling", why: expect.stringMatching(/old workers \(pids \d+\)/) });
    expect(disk.files.get(CONFIG)).toBe(B.text);
    expect(disk.files.get(GOOD)).toBe(A.text);
    nginx.release();
    expect(await ensure(B)).toMatchObject({ kind: "settled" });
    expect(nginx.reloads).toBe(1);
  });

  test("gives way to a withdrawal although an old worker is stuck", async () => {
    const { nginx, ensure, clock } = await running(A);
    nginx.stuck = true;
    await ensure(B);
    const before = clock.now();
    expect(await ensure(NONE)).toMatchObject({ kind: "settling" });
    expect(clock.now() - before).toBeLessThan(2_000);
    expect(nginx.running()).toContain(NONE.hash);
  });
});

describe("a config that nginx refuses", () => {
  test("gives way to the last good one, with nginx' own reason", async () => {
    const { nginx, disk, ensure } = await running(A);
    nginx.refuses = 'unknown directive "x" in /conf/other.conf:1';
    expect(await ensure(B)).toEqual({
      kind: "refused",
      why: 'nginx refused the config: unknown directive "x" in /conf/other.conf:1',
      rolledBack: true,
      running: true,
    });
    expect(disk.files.get(CONFIG)).toBe(A.text);
    expect(nginx.running()).toEqual([A.hash]);
  });

  test("is found out by the deadline when there is no word in the log, and says where to look", async () => {
    const { nginx, disk, ensure, clock } = await running(A);
    nginx.refusesSilently = true;
    const before = clock.now();
    expect(await ensure(B)).toMatchObject({ kind: "refused", rolledBack: true, why: expect.stringContaining(CONFIG) });
    expect(clock.now() - before).toBeGreaterThanOrEqual(10_000);
    expect(clock.now() - before).toBeLessThan(11_000);
    expect(disk.files.get(CONFIG)).toBe(A.text);
  });

  test("is found out in time although the system's clock was put back meanwhile", async () => {
    const { nginx, files, clock, stop } = await running(A);
    nginx.refusesSilently = true;
    let putBackMs = 0;
    const time = { ...clock, now: () => clock.now() - putBackMs };
    const work = new Applier({ clock: time, nginx, files, log: nginx }).ensure(B, stop.signal);
    await clock.advance(200);
    putBackMs = 3_600_000;
    const before = clock.now();
    expect(await clock.drive(work)).toMatchObject({ kind: "refused", rolledBack: true });
    expect(clock.now() - before).toBeLessThan(11_000);
  });

  test("leaves the good one applied without another reload", async () => {
    const { nginx, ensure } = await running(A);
    nginx.refuses = "no";
    await ensure(B);
    nginx.reloads = 0;
    expect(await ensure(A)).toEqual({ kind: "settled", reload: null, why: null });
    expect(nginx.reloads).toBe(0);
  });

  test("gives way to the last good one on a full volume too: its copy lies there already", async () => {
    const { nginx, disk, files, clock, applier, stop } = await running(A);
    nginx.refusesSilently = true;
    const work = applier.ensure(B, stop.signal);
    await clock.advance(200);
    disk.broken.set(CONFIG, "ENOSPC");
    expect(await clock.drive(work)).toMatchObject({ kind: "refused", rolledBack: true });
    expect(disk.files.get(CONFIG)).toBe(A.text);
    expect(files.good).toEqual(A);
  });

  test("stays on the disk, with a word about it, where nothing can be put in its place", async () => {
    const { nginx, disk, clock, applier, stop } = await running(A);
    nginx.refusesSilently = true;
    const work = applier.ensure(B, stop.signal);
    await clock.advance(200);
    disk.broken.set(CONFIG, "EROFS");
    disk.files.delete(GOOD);
    expect(await clock.drive(work)).toMatchObject({
      kind: "refused",
      rolledBack: false,
      why: expect.stringMatching(/it cannot be rolled back: .* mount a writable volume there/),
    });
  });

  test("stays on the disk when there was never a good one", async () => {
    const { nginx, disk, ensure } = await setUp();
    nginx.start();
    nginx.refuses = "no";
    expect(await ensure(A)).toMatchObject({ kind: "refused", rolledBack: false });
    expect(disk.files.get(CONFIG)).toBe(A.text);
  });
});

describe("an nginx that is not there", () => {
  test("finds the config on the disk, and is settled by its echo without a signal", async () => {
    const { nginx, disk, ensure } = await setUp();
    expect(await ensure(A)).toEqual({ kind: "nginx_down", why: "nginx is not running" });
    expect(disk.files.get(CONFIG)).toBe(A.text);
    nginx.start();
    expect(await ensure(A)).toEqual({ kind: "settled", reload: null, why: null });
    expect(nginx.reloads).toBe(0);
    expect(disk.files.get(GOOD)).toBe(A.text);
  });

  test("gets the good config back when it does not start with the new one", async () => {
    const { nginx, disk, ensure } = await running(A);
    nginx.kill();
    expect(await ensure(B)).toMatchObject({ kind: "nginx_down" });
    nginx.refuses = "host not found";
    nginx.start();
    const why = "nginx does not start: host not found";
    expect(await ensure(B)).toEqual({ kind: "refused", why, rolledBack: true, running: false });
    expect(disk.files.get(CONFIG)).toBe(A.text);
  });

  test("is not said to refuse the good config because it once refused another one", async () => {
    const { nginx, ensure } = await running(A);
    nginx.refuses = "no";
    await ensure(B);
    nginx.refuses = null;
    nginx.kill();
    expect(await ensure(A)).toEqual({ kind: "nginx_down", why: "nginx is not running" });
  });

  test("is not blamed for what stood in its log before this program began", async () => {
    const { nginx, disk, ensure } = await setUp();
    disk.files.set(CONFIG, A.text);
    nginx.refuses = "an old story";
    nginx.start();
    expect(await ensure(A)).toMatchObject({ kind: "nginx_down" });
  });

  test("that ends between being found and being signalled is waited for", async () => {
    const { nginx, ensure } = await running(A);
    nginx.delivery = "gone";
    expect(await ensure(B)).toMatchObject({ kind: "nginx_down" });
  });

  test("that ends while it reloads is waited for, and the config stays for its next start", async () => {
    const { nginx, disk, clock, applier, stop } = await running(A);
    nginx.refusesSilently = true;
    const work = applier.ensure(B, stop.signal);
    await clock.advance(200);
    nginx.kill();
    expect(await clock.drive(work)).toMatchObject({ kind: "nginx_down" });
    expect(disk.files.get(CONFIG)).toBe(B.text);
  });
});

describe("what was changed behind the reloader's back", () => {
  test("a config edited by hand is put right and reloaded", async () => {
    const { nginx, disk, ensure } = await running(A);
    disk.files.set(CONFIG, A.text.replace("203.0.113.9", "203.0.113.66"));
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
    expect(disk.files.get(CONFIG)).toBe(A.text);
    expect(nginx.reloads).toBe(1);
  });

  test("a config edited by hand is not taken for reloaded because its old workers still echo it", async () => {
    const { nginx, disk, ensure } = await running(A);
    disk.files.set(CONFIG, A.text.replace("203.0.113.9", "203.0.113.66"));
    nginx.refuses = 'unknown directive "x" in /conf/other.conf:1';
    expect(await ensure(A)).toMatchObject({ kind: "refused", why: expect.stringContaining("/conf/other.conf:1") });
    nginx.refuses = null;
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
  });

  test("a removed config is written again", async () => {
    const { disk, ensure } = await running(A);
    disk.files.delete(CONFIG);
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
    expect(disk.files.get(CONFIG)).toBe(A.text);
  });

  test("an nginx that was started with another config is reloaded", async () => {
    const { nginx, disk, ensure } = await running(A);
    nginx.kill();
    disk.files.set(CONFIG, B.text);
    nginx.start();
    disk.files.set(CONFIG, A.text);
    expect(await ensure(A)).toMatchObject({ kind: "settled", reload: { acceptedMs: expect.any(Number) } });
    expect(nginx.running()).toEqual([A.hash]);
  });

  test("an nginx too busy to answer is not reloaded for that", async () => {
    const { nginx, ensure } = await running(A);
    nginx.hangs = true;
    expect(await ensure(A)).toEqual({ kind: "nginx_unresponsive", why: "nginx did not answer" });
    expect(nginx.reloads).toBe(0);
  });

  test("a config on the disk that no run has proven is reloaded although nginx echoes it", async () => {
    const { nginx, disk, ensure } = await setUp();
    disk.files.set(CONFIG, A.text);
    nginx.start();
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
    expect(nginx.reloads).toBe(1);
  });
});

describe("what cannot be done", () => {
  test("a signal that is forbidden names the user that is missing", async () => {
    const { nginx, ensure } = await running(A);
    nginx.delivery = "forbidden";
    expect(await ensure(B)).toMatchObject({ kind: "failed", why: expect.stringContaining("UID 1000") });
  });

  test("of several masters none is signalled", async () => {
    const { nginx, ensure } = await running(A);
    nginx.several = true;
    expect(await ensure(B)).toEqual({ kind: "failed", why: "there are 2 nginx masters", because: "signal_failed" });
    expect(nginx.reloads).toBe(0);
  });

  test("a config that cannot be written is not signalled", async () => {
    const { nginx, disk, ensure } = await running(A);
    disk.broken.set(CONFIG, "EROFS");
    expect(await ensure(B)).toMatchObject({ kind: "failed", why: expect.stringContaining("writable volume") });
    expect(nginx.reloads).toBe(0);
  });

  test("a good copy that cannot be written leaves the config settled, with a word about it", async () => {
    const { disk, ensure } = await running(A);
    disk.broken.set(GOOD, "ENOSPC");
    expect(await ensure(B)).toMatchObject({ kind: "settled", why: expect.stringContaining("make room") });
  });

  test("an end that is asked for comes at once and changes nothing more", async () => {
    const { nginx, disk, clock, applier, stop } = await running(A);
    nginx.refusesSilently = true;
    const work = applier.ensure(B, stop.signal);
    await clock.advance(200);
    stop.abort();
    const before = clock.now();
    expect(await clock.drive(work)).toMatchObject({ kind: "stopped" });
    expect(clock.now() - before).toBe(0);
    expect(disk.files.get(CONFIG)).toBe(B.text);
  });
});
