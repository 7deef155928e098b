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
  const disk = new FakeDisk(clock.now);
  const nginx = new FakeNginx(clock, disk);
  const files = new ConfigFiles({ configPath: CONFIG, goodPath: GOOD }, disk);
  const applier = new Applier({ clock, nginx, files, log: nginx, isWithdrawn: async () => false });
  const stop = new AbortController();
  const ensure = (config: Config) => clock.drive(applier.ensure(config, stop.signal));
  return { clock, disk, nginx, files, ensure, stop, applier };
}

/** nginx runs `config`, and that is proven. */
async function running(config: Config) {
  const fixture = await setUp();
  fixture.nginx.start();
  expect(await fixture.ensure(config)).toMatchObject({ kind: "settled" });
  fixture.nginx.reloads = 0;
  fixture.disk.writes.length = 0;
  return fixture;
}

describe("a config that nginx accepts", () => {
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

  test("is copied to the good file once it is settled", async () => {
    const { disk, ensure } = await running(A);
    await ensure(B);
    expect(disk.files.get(GOOD)).toBe(B.text);
    expect(disk.writes).toEqual([CONFIG, GOOD]);
  });

  test("is not reloaded again while the bytes on the disk and nginx' hash are right", async () => {
    const { nginx, disk, ensure } = await running(A);
    expect(await ensure(A)).toEqual({ kind: "settled", reload: null, why: null });
    expect(nginx.reloads).toBe(0);
    expect(disk.writes).toEqual([]);
  });

  test("is not rolled back while an old worker is stuck, and settles when that worker exits", async () => {
    const { nginx, disk, ensure } = await running(A);
    nginx.stuck = true;
    expect(await ensure(B)).toMatchObject({ kind: "settling", why: expect.stringMatching(/old workers \(pids \d+\)/) });
    expect(disk.files.get(CONFIG)).toBe(B.text);
    expect(disk.files.get(GOOD)).toBe(B.text);
    nginx.release();
    expect(await ensure(B)).toMatchObject({ kind: "settled" });
    expect(nginx.reloads).toBe(1);
  });

  test("is replaced by a withdrawal although an old worker is stuck", async () => {
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
  test("is replaced by the last good one, and nginx' own reason is reported", async () => {
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

  test("is not a config that somebody else had overwritten before nginx read it: that is written again and loaded", async () => {
    const { nginx, disk, ensure } = await running(A);
    const reload = nginx.reload.bind(nginx);
    nginx.reload = () => {
      nginx.refuses = nginx.reloads === 0 ? "Is a directory" : null;
      if (nginx.reloads === 0) disk.files.set(CONFIG, "something else");
      return reload();
    };
    expect(await ensure(B)).toMatchObject({ kind: "settled" });
    expect(disk.files.get(CONFIG)).toBe(B.text);
    expect(nginx.running()).toEqual([B.hash]);
  });

  test("is refused when it is overwritten each time", async () => {
    const { nginx, disk, ensure } = await running(A);
    const reload = nginx.reload.bind(nginx);
    nginx.reload = () => {
      nginx.refuses = "Is a directory";
      disk.files.set(CONFIG, "something else");
      return reload();
    };
    expect(await ensure(B)).toMatchObject({ kind: "refused", rolledBack: true });
    expect(nginx.reloads).toBe(2);
  });

  test("is detected by the deadline when nginx logs nothing, with a hint where the reason may be", async () => {
    const { nginx, disk, ensure, clock } = await running(A);
    nginx.refusesSilently = true;
    const before = clock.now();
    expect(await ensure(B)).toMatchObject({ kind: "refused", rolledBack: true, why: expect.stringContaining(CONFIG) });
    expect(clock.now() - before).toBeGreaterThanOrEqual(10_000);
    expect(clock.now() - before).toBeLessThan(11_000);
    expect(disk.files.get(CONFIG)).toBe(A.text);
  });

  test("is detected in time although the system's clock was put back meanwhile", async () => {
    const { nginx, files, clock, stop } = await running(A);
    nginx.refusesSilently = true;
    let putBackMs = 0;
    const time = { ...clock, now: () => clock.now() - putBackMs };
    const work = new Applier({ clock: time, nginx, files, log: nginx, isWithdrawn: async () => false }).ensure(
      B,
      stop.signal,
    );
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

  test("is replaced by the last good one on a full volume too, by moving its copy", async () => {
    const { nginx, disk, files, clock, applier, stop } = await running(A);
    nginx.refusesSilently = true;
    const work = applier.ensure(B, stop.signal);
    await clock.advance(200);
    disk.broken.set(CONFIG, "ENOSPC");
    expect(await clock.drive(work)).toMatchObject({ kind: "refused", rolledBack: true });
    expect(disk.files.get(CONFIG)).toBe(A.text);
    expect(files.good).toEqual(A);
  });

  test("stays on the disk and the reason is reported when it cannot be replaced", async () => {
    const { nginx, disk, clock, applier, stop } = await running(A);
    nginx.refusesSilently = true;
    const work = applier.ensure(B, stop.signal);
    await clock.advance(200);
    disk.broken.set(CONFIG, "EROFS");
    disk.files.delete(GOOD);
    expect(await clock.drive(work)).toMatchObject({
      kind: "refused",
      rolledBack: false,
      why: expect.stringMatching(/the last good config cannot be restored: .* mount a writable volume there/),
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

describe("a withdrawal", () => {
  test.each<[string, Partial<FakeNginx>]>([
    ["nginx logs nothing", { refusesSilently: true }],
    ["nginx refuses it", { refuses: "no" }],
    ["nginx' master is stopped", { frozen: true }],
  ])("is never undone on the disk: %s", async (_, fault) => {
    const { nginx, disk, ensure } = await running(A);
    Object.assign(nginx, fault);
    await ensure(NONE);
    expect(disk.files.get(CONFIG)).toBe(NONE.text);
  });

  test("takes effect when the stopped master is continued", async () => {
    const { nginx, disk, ensure } = await running(A);
    nginx.frozen = true;
    expect(await ensure(B)).toMatchObject({ kind: "nginx_unresponsive", why: expect.stringContaining("kill -CONT") });
    expect(disk.files.get(CONFIG)).toBe(B.text);
    await ensure(NONE);
    nginx.resume();
    expect(await ensure(NONE)).toMatchObject({ kind: "settled" });
    expect(nginx.running()).toEqual([NONE.hash]);
  });

  test("does not wait for a reload that is stuck", async () => {
    const { nginx, files, clock, stop } = await running(A);
    nginx.frozen = true;
    const before = clock.now();
    const applier = new Applier({ clock, nginx, files, log: nginx, isWithdrawn: async () => true });
    expect(await clock.drive(applier.ensure(B, stop.signal))).toMatchObject({ kind: "stopped" });
    expect(clock.now() - before).toBeLessThan(1_000);
  });

  test("is not undone by a step of the system's clock, nor is any other reload", async () => {
    const { nginx, files, clock, stop } = await running(A);
    let aheadMs = 0;
    const time = { ...clock, now: () => clock.now() + aheadMs, monotonic: clock.monotonic };
    nginx.frozen = true;
    const work = new Applier({ clock: time, nginx, files, log: nginx, isWithdrawn: async () => false }).ensure(
      B,
      stop.signal,
    );
    await clock.advance(200);
    aheadMs = 3_600_000;
    await clock.advance(200);
    nginx.resume();
    expect(await clock.drive(work)).toMatchObject({ kind: "settled", reload: { acceptedMs: expect.closeTo(400, -2) } });
  });
});

describe("an nginx that is down", () => {
  test("finds the config on the disk at its start, and its hash settles it without a signal", async () => {
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

  test("is not reported to refuse the good config because it once refused another one", async () => {
    const { nginx, ensure } = await running(A);
    nginx.refuses = "no";
    await ensure(B);
    nginx.refuses = null;
    nginx.kill();
    expect(await ensure(A)).toEqual({ kind: "nginx_down", why: "nginx is not running" });
  });

  test("is not reported for a refusal that it logged before this program started", async () => {
    const { nginx, disk, ensure } = await setUp();
    disk.files.set(CONFIG, A.text);
    nginx.refuses = "an old story";
    nginx.start();
    expect(await ensure(A)).toMatchObject({ kind: "nginx_down" });
  });

  test("that exits between being found and being signalled is reported as down", async () => {
    const { nginx, ensure } = await running(A);
    nginx.delivery = "gone";
    expect(await ensure(B)).toMatchObject({ kind: "nginx_down" });
  });

  test("that exits during the reload is reported as down, and the config stays for its next start", async () => {
    const { nginx, disk, clock, applier, stop } = await running(A);
    nginx.refusesSilently = true;
    const work = applier.ensure(B, stop.signal);
    await clock.advance(200);
    nginx.kill();
    expect(await clock.drive(work)).toMatchObject({ kind: "nginx_down" });
    expect(disk.files.get(CONFIG)).toBe(B.text);
  });
});

describe("a change that the reloader did not make", () => {
  test("a config edited by hand is written again and reloaded", async () => {
    const { nginx, disk, ensure } = await running(A);
    disk.files.set(CONFIG, A.text.replace("203.0.113.9", "203.0.113.66"));
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
    expect(disk.files.get(CONFIG)).toBe(A.text);
    expect(nginx.reloads).toBe(1);
  });

  test("a config edited by hand is not accepted by the hash of old workers", async () => {
    const { nginx, disk, ensure } = await running(A);
    disk.files.set(CONFIG, A.text.replace("203.0.113.9", "203.0.113.66"));
    nginx.refuses = 'unknown directive "x" in /conf/other.conf:1';
    expect(await ensure(A)).toMatchObject({ kind: "refused", why: expect.stringContaining("/conf/other.conf:1") });
    nginx.refuses = null;
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
  });

  const edited = A.text.replace("proxy_pass", "return 204; #");
  // An edited config answers the same hash, since the hash is a part of its text.
  const edit = (disk: FakeDisk, text = edited) => {
    disk.files.set(CONFIG, text);
    disk.times.set(CONFIG, disk.now());
  };

  test("a config edited between the check of its text and that of its time, and loaded, is written and loaded again", async () => {
    const { nginx, disk, ensure, clock } = await running(A);
    await clock.advance(1_000);
    const writtenAt = disk.writtenAt;
    disk.writtenAt = async (path) => {
      disk.writtenAt = writtenAt;
      edit(disk);
      return writtenAt(path);
    };
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
    expect([nginx.runningTexts(), nginx.reloads]).toEqual([[A.text], 2]);
  });

  test("a config edited between the write and the moment at which nginx reads it is written and loaded again", async () => {
    const { nginx, disk, ensure } = await running(B);
    const reload = nginx.reload;
    nginx.reload = () => {
      nginx.reload = reload;
      edit(disk);
      return reload();
    };
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
    expect([nginx.runningTexts(), nginx.reloads]).toEqual([[A.text], 2]);
  });

  test("a config edited while nginx reads it, and put right before it is checked, is loaded again", async () => {
    const { nginx, disk, ensure, clock } = await running(B);
    await clock.advance(1_000);
    const reload = nginx.reload;
    nginx.reload = () => {
      nginx.reload = reload;
      edit(disk);
      const sent = reload();
      void clock.sleep(1).then(() => edit(disk, A.text));
      return sent;
    };
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
    expect([nginx.runningTexts(), nginx.reloads]).toEqual([[A.text], 2]);
  });

  test("a config edited at each reload is no proof, and the reason says what to do", async () => {
    const { nginx, disk, ensure } = await running(B);
    const reload = nginx.reload;
    nginx.reload = () => {
      edit(disk);
      return reload();
    };
    const why = expect.stringMatching(/another program changes .*stop that program/);
    expect(await ensure(A)).toEqual({ kind: "failed", because: "disk", why });
    expect(nginx.reloads).toBe(2);
    nginx.reload = reload;
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
    expect(nginx.runningTexts()).toEqual([A.text]);
  });

  test("a config that cannot be put right after nginx has loaded an edited one is no proof", async () => {
    const { nginx, disk, ensure } = await running(B);
    const reload = nginx.reload;
    nginx.reload = () => {
      edit(disk);
      disk.full = true;
      return reload();
    };
    expect(await ensure(A)).toMatchObject({ kind: "failed", because: "disk" });
    nginx.reload = reload;
    disk.full = false;
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
    expect(nginx.runningTexts()).toEqual([A.text]);
  });

  test("a config that somebody edited, loaded and put right while old workers were waited for is loaded again", async () => {
    const { nginx, disk, ensure, clock } = await running(A);
    nginx.stuck = true;
    expect(await ensure(B)).toMatchObject({ kind: "settling" });
    await clock.advance(1_000);
    const changed = B.text.replace("proxy_pass", "return 204; #");
    edit(disk, changed);
    nginx.signal();
    await clock.advance(200);
    edit(disk, B.text);
    nginx.release();
    expect(nginx.runningTexts()).toEqual([changed]);
    await ensure(B);
    expect(await ensure(B)).toMatchObject({ kind: "settled" });
    expect(nginx.runningTexts()).toEqual([B.text]);
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

  test("an nginx that is too busy to answer is not reloaded", async () => {
    const { nginx, ensure } = await running(A);
    nginx.hangs = true;
    expect(await ensure(A)).toEqual({ kind: "nginx_unresponsive", why: "nginx did not answer" });
    expect(nginx.reloads).toBe(0);
  });

  test("a config on the disk that no run has proven is reloaded although nginx answers its hash", async () => {
    const { nginx, disk, ensure } = await setUp();
    disk.files.set(CONFIG, A.text);
    nginx.start();
    expect(await ensure(A)).toMatchObject({ kind: "settled" });
    expect(nginx.reloads).toBe(1);
  });
});

describe("a config that cannot be applied", () => {
  test("because the signal is forbidden is reported with the user to run as", async () => {
    const { nginx, ensure } = await running(A);
    nginx.delivery = "forbidden";
    expect(await ensure(B)).toMatchObject({ kind: "failed", why: expect.stringContaining("UID 1000") });
  });

  test("because several masters run leads to no signal", async () => {
    const { nginx, ensure } = await running(A);
    nginx.several = true;
    expect(await ensure(B)).toEqual({ kind: "failed", why: "there are 2 nginx masters", because: "signal_failed" });
    expect(nginx.reloads).toBe(0);
  });

  test("because it cannot be written leads to no signal", async () => {
    const { nginx, disk, ensure } = await running(A);
    disk.broken.set(CONFIG, "EROFS");
    expect(await ensure(B)).toMatchObject({ kind: "failed", why: expect.stringContaining("writable volume") });
    expect(nginx.reloads).toBe(0);
  });

  test("a config settles although its good copy cannot be written, and the reason is reported", async () => {
    const { disk, ensure } = await running(A);
    disk.broken.set(GOOD, "EROFS");
    expect(await ensure(B)).toMatchObject({ kind: "settled", why: expect.stringContaining("writable volume") });
    expect(disk.files.get(GOOD)).toBe(A.text);
  });

  test("a config and its good copy take the place of those with another server on a full volume", async () => {
    const { nginx, disk, ensure } = await running(A);
    disk.full = true;
    expect(await ensure(B)).toMatchObject({ kind: "settled", why: null });
    expect([disk.files.get(CONFIG), disk.files.get(GOOD)]).toEqual([B.text, B.text]);
    expect(nginx.runningTexts()).toEqual([B.text]);
  });

  test("a stop takes effect at once and changes nothing more", async () => {
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
