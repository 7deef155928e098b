// The config on the disk never names a server that was withdrawn, unless it was published again. nginx may start from it at any moment.
import fc from "fast-check";
import { expect, test } from "vitest";
import { CONFIG } from "./fake-nginx.ts";
import { startPod } from "./fake-pod.ts";
import { server } from "./samples.ts";

const PORTS = [1, 2, 3];
const namedBy = (text: string | undefined) =>
  PORTS.find((port) => text?.includes(`server 203.0.113.9:${port} `) === true) ?? null;

const port = fc.constantFrom(...PORTS);
const upstream = fc.oneof(
  fc.record({ is: fc.constant("server" as const), port }),
  fc.record({ is: fc.constantFrom("none" as const, "missing" as const, "broken" as const) }),
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("publish" as const), upstream }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const) }) },
  fc.record({
    do: fc.constant("publish during a pass" as const),
    upstream,
    afterMs: fc.integer({ min: 0, max: 3_000 }),
  }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 70_000 }) }),
  fc.record({ do: fc.constant("set the clock" as const), ms: fc.integer({ min: -7_200_000, max: 7_200_000 }) }),
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("toggle" as const),
      what: fc.constantFrom("refusesSilently" as const, "stuck" as const, "held" as const, "hangs" as const),
    }),
  },
  fc.record({ do: fc.constant("refuse" as const), port: fc.option(port) }),
  fc.record({ do: fc.constant("slow down" as const), ms: fc.constantFrom(5, 3_000, 20_000) }),
  fc.record({
    do: fc.constantFrom(
      "freeze" as const,
      "continue" as const,
      "kill nginx" as const,
      "start nginx" as const,
      "restart the reloader" as const,
      "kill the reloader before its first pass" as const,
      "lose the volume's room" as const,
      "find room" as const,
    ),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function run(story: readonly Step[]): Promise<void> {
  const pod = startPod();
  let generation = 0;
  let published: number | "none" | null = null;
  /** Servers that the reloader knows to be withdrawn. */
  const withdrawn = new Set<number>();
  /** Those of them that the config on the disk does not name any more. */
  const gone = new Set<number>();
  const publish = (to: { is: "server"; port: number } | { is: "none" | "missing" | "broken" }) => {
    generation += 1;
    if (to.is === "missing") pod.upstream = { kind: "missing" };
    else if (to.is === "broken") pod.upstream = { kind: "refused", problem: "broken" };
    else pod.publish({ generation, server: to.is === "server" ? server(to.port) : null });
    published = to.is === "server" ? to.port : to.is === "none" ? "none" : null;
  };
  const read = () => {
    if (published === "none") for (const one of PORTS) withdrawn.add(one);
    if (typeof published === "number") {
      withdrawn.delete(published);
      gone.delete(published);
    }
  };
  const check = (passed: boolean) => {
    const named = namedBy(pod.disk.files.get(CONFIG));
    for (const one of withdrawn) if (one !== named) gone.add(one);
    if (named === null) return;
    expect(gone).not.toContain(named);
    if (passed) expect(withdrawn).not.toContain(named);
  };
  pod.disk.onWrite = () => check(false);
  for (const one of story) {
    let passed = false;
    switch (one.do) {
      case "publish":
        publish(one.upstream);
        break;
      case "pass":
        read();
        await pod.pass();
        passed = true;
        break;
      case "publish during a pass": {
        read();
        const work = pod.startPass();
        await pod.clock.advance(one.afterMs);
        publish(one.upstream);
        await pod.clock.drive(work);
        break;
      }
      case "wait":
        await pod.clock.advance(one.ms);
        break;
      case "set the clock":
        pod.clockAheadMs += one.ms;
        break;
      case "toggle":
        pod.nginx[one.what] = !pod.nginx[one.what];
        break;
      case "refuse":
        pod.nginx.refusesWith = one.port === null ? null : `203.0.113.9:${one.port} `;
        break;
      case "slow down":
        pod.nginx.loadMs = one.ms;
        break;
      case "freeze":
        pod.nginx.frozen = true;
        break;
      case "continue":
        pod.nginx.resume();
        break;
      case "kill nginx":
        pod.nginx.kill();
        break;
      case "start nginx":
        pod.nginx.kill();
        pod.nginx.start();
        break;
      case "restart the reloader":
        read();
        await pod.restart();
        await pod.pass();
        passed = true;
        break;
      case "kill the reloader before its first pass":
        await pod.restart();
        break;
      case "lose the volume's room":
        pod.disk.full = true;
        break;
      case "find room":
        pod.disk.full = false;
        break;
    }
    check(passed);
  }
}

test("whatever happens to nginx, the disk, the clock and the reloader", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25, size: "max" }), run), {
    numRuns: 300,
  });
});
