import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FSWatcher } from "chokidar";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../common/clock.ts";
import { debounce, watchFolder } from "../../../reloader/watch.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";
import { temporaryFolder } from "../../fakes/temporary-folder.ts";

describe("a burst of events", () => {
  function setUp() {
    const clock = fakeClock();
    const start = clock.now();
    const notified: number[] = [];
    const stop = new AbortController();
    const event = debounce(() => notified.push(clock.now() - start), clock, stop.signal);
    return { clock, notified, event, stop };
  }

  test("notifies at once, and again 100 ms after its last event", async () => {
    const { clock, notified, event } = setUp();
    for (let i = 0; i < 5; i += 1) {
      event();
      await clock.advance(20);
    }
    await clock.advance(1_000);
    expect(notified).toEqual([0, 180]);
  });

  test("that never pauses notifies once a second and after its end", async () => {
    const { clock, notified, event } = setUp();
    for (let passed = 0; passed < 3_000; passed += 50) {
      event();
      await clock.advance(50);
    }
    await clock.advance(5_000);
    expect(notified).toEqual([0, 1_000, 2_000, 3_000, 3_050]);
  });

  test("of a thousand events within two seconds notifies four times", async () => {
    const { clock, notified, event } = setUp();
    for (let i = 0; i < 1_000; i += 1) {
      event();
      await clock.advance(2);
    }
    await clock.advance(5_000);
    expect(notified).toEqual([0, 1_000, 2_000, 2_098]);
  });

  test("is followed by another one that notifies at once", async () => {
    const { clock, notified, event } = setUp();
    event();
    await clock.advance(5_000);
    event();
    await clock.advance(5_000);
    expect(notified).toEqual([0, 100, 5_000, 5_100]);
  });

  test("is over, and the next one notifies, although the system's clock was put back meanwhile", async () => {
    const clock = fakeClock();
    let putBackMs = 0;
    const notified: number[] = [];
    const time = { ...clock, now: () => clock.now() - putBackMs };
    const event = debounce(() => notified.push(putBackMs), time, new AbortController().signal);
    event();
    putBackMs = 3_600_000;
    await clock.advance(1_000);
    expect(notified).toEqual([0, 3_600_000]);
    event();
    expect(notified).toHaveLength(3);
  });

  test("does not notify after the program was stopped", async () => {
    const { clock, notified, event, stop } = setUp();
    event();
    stop.abort();
    await clock.advance(1_000);
    expect(notified).toEqual([0]);
  });
});

describe("the watched folder", () => {
  /** Resolves at the next event. */
  function listen(path: string) {
    let onEvent: () => void = () => undefined;
    const watcher = watchFolder({ path, onEvent: () => onEvent(), onError: () => undefined, clock: systemClock });
    onTestFinished(() => watcher.close());
    return { watcher, next: () => new Promise<void>((resolve) => (onEvent = resolve)) };
  }
  const replace = async (path: string, text: string) => {
    await writeFile(`${path}.tmp`, text);
    await rename(`${path}.tmp`, path);
  };

  test("reports that watching has begun, and each replacement of the file", async () => {
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

  test("that does not exist yet is watched once it exists", async () => {
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

  test("that was removed and created again at once is watched again, although its inode number is the same", async () => {
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

  test("that the system refuses to watch is retried once a minute, and each reason is reported once", async () => {
    const path = join(await temporaryFolder(), "upstream.json");
    const clock = fakeClock();
    const reported: string[] = [];
    const opened: FSWatcher[] = [];
    const watch = () => {
      const one = new FSWatcher();
      opened.push(one);
      return one;
    };
    const watcher = watchFolder({ path, onEvent: () => undefined, onError: (why) => reported.push(why), clock, watch });
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
    expect(reported).toEqual(["EMFILE: too many open files, watch"]);
    expect(opened.map((one) => one.closed)).toEqual([true, true, false]);
    await watcher.close();
  });
});
