import { expect, test } from "vitest";
import { steppingClock } from "../../fakes/stepping-clock.ts";
import { keepRunning } from "../../local/service.ts";
import type { Child, Exit } from "../../sandbox/child.ts";
import { until } from "../../sandbox/until.ts";

/** A process that exits when the test or `stop` says so. */
function fakeChild(pid: number, lines: readonly string[]) {
  let exit: Exit | null = null;
  let end: (exit: Exit) => void = () => undefined;
  const exited = new Promise<Exit>((resolve) => {
    end = (how) => {
      exit ??= how;
      resolve(exit);
    };
  });
  const child: Child = {
    name: "fake",
    pid,
    lines,
    exited,
    exit: () => exit,
    onLine: () => undefined,
    signal: () => exit === null,
    stop: () => {
      end({ code: 0, signal: null });
      return exited;
    },
    killNow: () => undefined,
  };
  return { child, exits: (how: Partial<Exit>) => end({ code: null, signal: null, ...how }) };
}

function setUp(startFails: () => boolean = () => false) {
  const clock = steppingClock();
  const printed: string[] = [];
  const starts: ReturnType<typeof fakeChild>[] = [];
  const service = keepRunning({
    name: "nginx",
    start: async () => {
      if (startFails()) throw new Error("program missing");
      const started = fakeChild(starts.length + 1, ["first", "last line"]);
      starts.push(started);
      return started.child;
    },
    lastLines: (child) => child.lines,
    print: (word, text) => printed.push(`${word}: ${text}`),
    clock,
  });
  const start = async (n: number) => {
    await until(`start ${n} is done`, () => starts.length >= n && service.child() !== null);
    const it = starts[n - 1];
    if (it === undefined) throw new Error("not started");
    return it;
  };
  return { clock, printed, service, start, starts };
}

test("a program that exits is restarted after a second, and its last lines are printed", async () => {
  const { clock, printed, service, start } = setUp();
  (await start(1)).exits({ signal: "SIGKILL" });
  await start(2);
  expect(clock.sleeps).toEqual([1000]);
  expect(printed).toEqual([
    "restarting: nginx in 1 s: it exited (SIGKILL)\n| first\n| last line",
    "restarted: nginx has process id 2 now",
  ]);
  await service.stop();
});

test("the pause doubles while it keeps exiting, up to a maximum, and is reset after a stable run", async () => {
  const { clock, service, start } = setUp();
  for (let n = 1; n <= 6; n++) (await start(n)).exits({ code: 1 });
  const seventh = await start(7);
  clock.advance(10_000);
  seventh.exits({ code: 1 });
  await start(8);
  expect(clock.sleeps).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000, 1000]);
  await service.stop();
});

test("a start that fails is retried and printed", async () => {
  let fails = 1;
  const { printed, service, start } = setUp(() => fails-- > 0);
  await start(1);
  expect(printed).toEqual(["restarting: nginx in 1 s: program missing"]);
  await service.stop();
});

test("a stopped program is not restarted, and its exit is returned", async () => {
  const { printed, service, start, starts } = setUp();
  await start(1);
  expect(await service.stop()).toEqual({ code: 0, signal: null });
  expect(starts).toHaveLength(1);
  expect(printed).toEqual([]);
  expect(service.child()).toBeNull();
});

test("stopping during a start stops that process too", async () => {
  const { service, starts } = setUp();
  expect(await service.stop()).toEqual({ code: 0, signal: null });
  expect(starts).toHaveLength(1);
});
