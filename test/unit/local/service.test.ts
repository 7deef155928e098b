import { expect, test } from "vitest";
import { steppingClock } from "../../fakes/stepping-clock.ts";
import { keepRunning } from "../../local/service.ts";
import type { Child, Exit } from "../../sandbox/child.ts";
import { until } from "../../sandbox/until.ts";

/** A process that ends when it is told to. */
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
  return { child, die: (how: Partial<Exit>) => end({ code: null, signal: null, ...how }) };
}

function setUp(startFails: () => boolean = () => false) {
  const clock = steppingClock();
  const said: string[] = [];
  const lives: ReturnType<typeof fakeChild>[] = [];
  const service = keepRunning({
    name: "nginx",
    start: async () => {
      if (startFails()) throw new Error("no such program");
      const life = fakeChild(lives.length + 1, ["first", "last line"]);
      lives.push(life);
      return life.child;
    },
    lastLines: (child) => child.lines,
    print: (word, text) => said.push(`${word}: ${text}`),
    clock,
  });
  const life = async (n: number) => {
    await until(`life ${n} begins`, () => lives.length >= n && service.child() !== null);
    const it = lives[n - 1];
    if (it === undefined) throw new Error("no life");
    return it;
  };
  return { clock, said, service, life, lives };
}

test("a program that died is started again after a second, with its last lines shown", async () => {
  const { clock, said, service, life } = setUp();
  (await life(1)).die({ signal: "SIGKILL" });
  await life(2);
  expect(clock.sleeps).toEqual([1000]);
  expect(said).toEqual([
    "restarting: nginx in 1 s: it ended (SIGKILL)\n| first\n| last line",
    "restarted: nginx is process 2 now",
  ]);
  await service.stop();
});

test("the pause doubles while it keeps dying, up to a ceiling, and is forgotten once it has lived", async () => {
  const { clock, service, life } = setUp();
  for (let n = 1; n <= 6; n++) (await life(n)).die({ code: 1 });
  const seventh = await life(7);
  clock.advance(10_000);
  seventh.die({ code: 1 });
  await life(8);
  expect(clock.sleeps).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000, 1000]);
  await service.stop();
});

test("a start that fails is tried again, and said", async () => {
  let fails = 1;
  const { said, service, life } = setUp(() => fails-- > 0);
  await life(1);
  expect(said).toEqual(["restarting: nginx in 1 s: no such program"]);
  await service.stop();
});

test("what is stopped is not started again, and its exit is told", async () => {
  const { said, service, life, lives } = setUp();
  await life(1);
  expect(await service.stop()).toEqual({ code: 0, signal: null });
  expect(lives).toHaveLength(1);
  expect(said).toEqual([]);
  expect(service.child()).toBeNull();
});

test("stopping while it is just being started ends that process too", async () => {
  const { service, lives } = setUp();
  expect(await service.stop()).toEqual({ code: 0, signal: null });
  expect(lives).toHaveLength(1);
});
