import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FSWatcher } from "chokidar";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../common/clock.ts";
import { debounce, WakeSignal, watchFolder } from "../../../reloader/watch.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";
import { temporaryFolder } from "../../fakes/temporary-folder.ts";

describe("a burst of events", () => {
  function setUp() {
    const clock = fakeClock();
    const start = clock.now();
    const looks: number[] = [];
    const stop = new AbortController();
    const event = debounce(() => looks.push(clock.now() - start), clock, stop.signal);
    return { clock, looks, event, stop };
  }

  test("leads to a look at once and to one 100 ms after its last event", async () => {
    const { clock, looks, event } = setUp();
    for (let i = 0; i < 5; i += 1) {
      event();
      await clock.advance(20);
    }
    await clock.advance(1_000);
    expect(looks).toEqual([0, 180]);
  });

  test("that never pauses leads to a look every second, to no more, and to one after its end", async () => {
    const { clock, looks, event } = setUp();
    for (let passed = 0; passed < 3_000; passed += 50) {
      event();
      await clock.advance(50);
    }
    await clock.advance(5_000);
    expect(looks).toEqual([0, 1_000, 2_000, 3_000, 3_050]);
  });

  test("of a thousand events within two seconds leads to four looks", async () => {
    const { clock, looks, event } = setUp();
    for (let i = 0; i < 1_000; i += 1) {
      event();
      await clock.advance(2);
    }
    await clock.advance(5_000);
    expect(looks).toEqual([0, 1_000, 2_000, 2_098]);
  });

  test("is followed by another one that is acted on at once", async () => {
    const { clock, looks, event } = setUp();
    event();
    await clock.advance(5_000);
    event();
    await clock.advance(5_000);
    expect(looks).toEqual([0, 100, 5_000, 5_100]);
  });

  test("is over, and the next one heard, although the system's clock was put back meanwhile", async () => {
    const clock = fakeClock();
    let putBackMs = 0;
    const looks: number[] = [];
    const time = { ...clock, now: () => clock.now() - putBackMs };
    const event = debounce(() => looks.push(putBackMs), time, new AbortController().signal);
    event();
    putBackMs = 3_600_000;
    await clock.advance(1_000);
    expect(looks).toEqual([0, 3_600_000]);
    event();
    expect(looks).toHaveLength(3);
  });

  test("ends without a look when the program ends", async () => {
    const { clock, looks, event, stop } = setUp();
    event();
    stop.abort();
    await clock.advance(1_000);
    expect(looks).toEqual([0]);
  });
});

describe("the bell", () => {
  test("ends the present wait", async () => {
    const clock = fakeClock();
    const bell = new WakeSignal();
    const waited = bell.wait(3_000, clock).then(() => clock.now());
    await clock.advance(10);
    bell.notify();
    expect(await waited).toBe(clock.now());
  });

  test("that rang while nobody waited ends the next wait, once", async () => {
    const clock = fakeClock();
    const start = clock.now();
    const bell = new WakeSignal();
    bell.notify();
    bell.notify();
    await bell.wait(3_000, clock);
    expect(clock.now()).toBe(start);
    await clock.drive(bell.wait(3_000, clock));
    expect(clock.now()).toBe(start + 3_000);
  });
});

describe("the watched folder", () => {
  /** Resolves at the next event. */
  function listen(path: string) {
    let heard: () => void = () => undefined;
    const watcher = watchFolder({ path, onEvent: () => heard(), onError: () => undefined, clock: systemClock });
    onTestFinished(() => watcher.close());
    return { watcher, next: () => new Promise<void>((resolve) => (heard = resolve)) };
  }
  const replace = async (path: string, text: string) => {
    await writeFile(`${path}.tmp`, text);
    await rename(`${path}.tmp`, path);
  };

  test("tells that watching has begun, and of a file that is replaced, twice", async () => {
    const path = join(await temporaryFolder(), "upstream.json");
    const { watcher, next } = listen(path);
    const ready = next();
    await watcher.refresh();
    await ready;
    for (const text of ["1", "2"]) {
      const event = next();
      await replace(path, text);
      await event;
    }
  });

  test("that was not there yet is watched once it is", async () => {
    const folder = join(await temporaryFolder(), "later");
    const path = join(folder, "upstream.json");
    const { watcher, next } = listen(path);
    await watcher.refresh();
    await mkdir(folder);
    const ready = next();
    await watcher.refresh();
    await ready;
    const event = next();
    await replace(path, "1");
    await event;
  });

  test("that was removed and made again at once is watched again, though its inode has the same number", async () => {
    const folder = join(await temporaryFolder(), "shared");
    const path = join(folder, "upstream.json");
    await mkdir(folder);
    const { watcher, next } = listen(path);
    const ready = next();
    await watcher.refresh();
    await ready;
    await rm(folder, { recursive: true });
    await mkdir(folder);
    const readyAgain = next();
    await watcher.refresh();
    await readyAgain;
    const event = next();
    await replace(path, "1");
    await event;
  });

  test("that the system will not watch is tried again each minute, and a reason is told once", async () => {
    const path = join(await temporaryFolder(), "upstream.json");
    const clock = fakeClock();
    const told: string[] = [];
    const opened: FSWatcher[] = [];
    const watch = () => {
      const one = new FSWatcher();
      opened.push(one);
      return one;
    };
    const watcher = watchFolder({ path, onEvent: () => undefined, onError: (why) => told.push(why), clock, watch });
    for (const failing of [true, true, false]) {
      await watcher.refresh();
      if (failing) opened.at(-1)?.emit("error", new Error("EMFILE: too many open files, watch"));
      await watcher.refresh();
      await clock.advance(60_000);
    }
    for (let minute = 0; minute < 5; minute += 1) {
      await watcher.refresh();
      await clock.advance(60_000);
    }
    expect(told).toEqual(["EMFILE: too many open files, watch"]);
    expect(opened.map((one) => one.closed)).toEqual([true, true, false]);
    await watcher.close();
  });
});
