import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openStack, type Stack } from "./stack.ts";

const LABEL = "k8s_pod=vast-pod-compose-0";

// One stack for all tests, which run one after another.
describe("docker compose up", () => {
  let stack: Stack;
  let serving = 0;
  beforeAll(async () => {
    stack = await openStack("steps");
  });
  afterAll(() => stack?.close());

  const live = async () => (await stack.emulator.live(LABEL)).map((one) => one.id);
  const inspect = async (service: string, format: string) =>
    (await stack.docker("inspect", "--format", format, await stack.container(service))).trim();
  const becomes = (service: string, health: string) =>
    until(`${service} is ${health}`, async () => (await inspect(service, "{{.State.Health.Status}}")) === health, {
      timeoutMs: 120_000,
      everyMs: 500,
    });
  /** Kills a program from outside as the kernel would; the engine restarts it because of `restart`. */
  const kill = async (service: string) => {
    const starts = await inspect(service, "{{.State.StartedAt}}");
    // The engine's `kill` counts as a manual stop, without a restart, so the process is killed instead.
    process.kill(Number(await inspect(service, "{{.State.Pid}}")), "SIGKILL");
    await until(
      `${service} is started again`,
      async () => (await inspect(service, "{{.State.StartedAt}}")) !== starts,
      {
        timeoutMs: 30_000,
        everyMs: 200,
      },
    );
  };
  /** The same instance is still served, and it is the only one. */
  const goesOn = async (what: string) => {
    expect(await stack.answered(what)).toBe(serving);
    expect(await live()).toEqual([serving]);
  };

  test("without any setting leads to an answer of the instance through nginx", async () => {
    serving = await stack.answered("the first answer");
    expect(await live()).toEqual([serving]);
  });

  test("has health checks that become healthy", async () => {
    for (const service of ["nginx", "reloader", "provisioner", "redis", "emulator"]) await becomes(service, "healthy");
  });

  test("replaces an instance that was destroyed", async () => {
    const before = serving;
    await stack.emulator.event(before, "kill");
    serving = await stack.answered("another instance answers", (id) => id !== before);
    expect(await live()).toEqual([serving]);
  });

  test("replaces the instance when the image changes", async () => {
    const before = serving;
    await stack.change({ VAST_TEMPLATE_IMAGE: "example/app:3" });
    serving = await stack.answered("the new image's instance answers", (id) => id !== before);
    const [only, ...others] = await stack.emulator.live(LABEL);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ id: serving, image_uuid: "example/app:3" });
  });

  test("finds nginx again after it was stopped and started", async () => {
    await stack.compose("stop", "nginx");
    await stack.compose("start", "nginx");
    await goesOn("nginx answers after a stop and a start");
  });

  test("finds nginx again after it was killed", async () => {
    await kill("nginx");
    await goesOn("nginx answers after a kill");
  });

  test("finds nginx again after its container was replaced", async () => {
    await stack.compose("up", "--detach", "--no-build", "--no-deps", "--force-recreate", "nginx");
    await goesOn("the new nginx answers");
    await becomes("nginx", "healthy");
  });

  test("follows a change after the reloader was killed", async () => {
    await kill("reloader");
    await goesOn("nginx answers beside a new reloader");
    const before = serving;
    await stack.emulator.event(before, "kill");
    serving = await stack.answered("the next instance answers", (id) => id !== before);
  });

  test("keeps its instance while the provisioner is killed", async () => {
    await kill("provisioner");
    await goesOn("nginx answers beside a new provisioner");
    await becomes("provisioner", "healthy");
    expect(await live()).toEqual([serving]);
  });

  test("keeps serving while Redis is stopped", async () => {
    await stack.compose("stop", "redis");
    await goesOn("nginx answers without Redis");
    await stack.compose("start", "redis");
    await becomes("redis", "healthy");
    await goesOn("nginx answers with Redis");
  });

  test("keeps the instance at a stop, and the last line says so with the command that destroys it", async () => {
    await stack.compose("stop", "provisioner");
    const last = (await stack.compose("logs", "--no-color", "--tail", "1", "provisioner")).trim().split("\n").at(-1);
    expect(last).toContain(`instance ${serving}`);
    expect(last).toContain("is still being billed");
    expect(last).toContain("destroy");
    expect(await live()).toEqual([serving]);
  });

  test("destroys the instance with the documented command", async () => {
    await stack.compose("run", "--rm", "-T", "provisioner", "destroy", "--yes");
    expect(await live()).toEqual([]);
  });

  test("leaves nothing behind after down", async () => {
    const project = `label=com.docker.compose.project=${stack.project}`;
    await stack.compose("down", "--volumes", "--timeout", "20");
    for (const kind of ["container", "network", "volume"]) {
      const all = kind === "container" ? ["--all"] : [];
      expect(await stack.docker(kind, "ls", ...all, "--quiet", "--filter", project), kind).toBe("");
    }
  });
});
