import { describe, expect, test } from "vitest";
import type { StatusSource } from "../../../common/status-server.ts";
import { readAlone, stayUp } from "../../../common/stay-up.ts";
import { SHARED_VARIABLES } from "../../../common/variables.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";

const START = Date.UTC(2026, 10, 28);

function setUp(starts: readonly (() => Promise<string | undefined>)[]) {
  const clock = fakeClock(START);
  const stop = new AbortController();
  const [lines, startedAt, shown]: [string[], number[], unknown[]] = [[], [], []];
  let served: StatusSource | null = null;
  let portIsTaken = false;
  const parts = {
    clock,
    onProblem: (message: string) => void lines.push(message),
    start: async () => {
      expect(served).toBeNull(); // the program itself needs the port
      startedAt.push((clock.now() - START) / 1000);
      return starts[startedAt.length - 1]?.();
    },
    serve: async (source: StatusSource) => {
      if (portIsTaken) throw new Error("PROVISIONER_STATUS_PORT 8080 cannot be used");
      served = source;
      shown.push(source.status());
      return {
        port: 1,
        close: async () => {
          served = null;
        },
      };
    },
  };
  return {
    clock,
    stop,
    lines,
    startedAt,
    shown,
    takePort: () => {
      portIsTaken = true;
    },
    served: () => served,
    run: () => stayUp(parts, stop.signal),
  };
}

const fails = (message: string) => async () => {
  throw new Error(message);
};

test("a program that starts is run once", async () => {
  const it = setUp([async () => "done"]);
  expect(await it.run()).toBe("done");
  expect(it.startedAt).toEqual([0]);
  expect(it.lines).toEqual([]);
});

test("a program that cannot start is alive, is not ready, and says why until it can", async () => {
  const it = setUp([fails("no key"), fails("no key"), fails("no disk"), async () => "done"]);
  const done = it.run();
  await it.clock.advance(500);
  expect(it.served()?.live().ok).toBe(true);
  expect(it.served()?.ready()).toEqual({ ok: false, why: "no key" });
  expect(await it.clock.drive(done)).toBe("done");
  expect(it.startedAt).toEqual([0, 1, 3, 7]);
  expect(it.shown).toEqual([
    { state: "blocked", reason: "cannot_start", message: "no key", failures: 1 },
    { state: "blocked", reason: "cannot_start", message: "no key", failures: 2 },
    { state: "blocked", reason: "cannot_start", message: "no disk", failures: 3 },
  ]);
  // One line for each reason, not for each try.
  expect(it.lines).toEqual([
    "cannot start, and tries again at least every 30 s: no key",
    "cannot start, and tries again at least every 30 s: no disk",
  ]);
});

test("tries are at most 30 s apart, and after a time of running they begin anew", async () => {
  const never = Array.from({ length: 8 }, () => fails("no key"));
  const it = setUp([...never, async () => it.clock.sleep(60_000).then(fails("died")), async () => "done"]);
  await it.clock.drive(it.run());
  expect(it.startedAt).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121, 182]);
});

test("a stop ends it while it waits", async () => {
  const it = setUp([fails("no key")]);
  const done = it.run();
  await it.clock.advance(200);
  it.stop.abort();
  expect(await done).toBeNull();
  expect(it.served()).toBeNull();
  expect(it.startedAt).toEqual([0]);
});

test("a port that is taken keeps nobody from trying again", async () => {
  const it = setUp([fails("the port is taken"), async () => "done"]);
  it.takePort();
  expect(await it.clock.drive(it.run())).toBe("done");
  expect(it.lines.at(-1)).toContain("cannot be shown on /status");
});

describe("one setting alone", () => {
  const read = (env: Record<string, string>) =>
    readAlone(SHARED_VARIABLES, { env, flags: {}, readFile: () => "" }, "RELOADER_STATUS_PORT");

  test("does not need the others", () => expect(read({ RELOADER_STATUS_PORT: "9000", DEBUG: "loud" })).toBe(9000));

  test("has its default when it cannot be used", () => {
    expect(read({ RELOADER_STATUS_PORT: "70000" })).toBe(8081);
  });
});
