import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { command } from "./command.ts";
import { imageOf } from "./images.ts";
import { openStack, type Stack } from "./stack.ts";

describe("the containers of the stack", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await openStack("users");
    await stack.answered("the first answer");
  });
  afterAll(() => stack?.close());

  test.each([
    ["nginx", "101:101"],
    ["reloader", "101:101"],
    ["provisioner", "10001:10001"],
  ])("%s runs as %s, with a read-only root and without a capability", async (service, user) => {
    const status = await stack.inside(service, "cat", "/proc/self/status");
    expect(status).toContain("CapEff:\t0000000000000000");
    expect(status).toContain("NoNewPrivs:\t1");
    const [uid, gid] = user.split(":");
    const own = (await stack.inside(service, "cat", "/proc/self/status")).split("\n");
    expect(
      own
        .find((line) => line.startsWith("Uid:"))
        ?.split("\t")
        .slice(1),
    ).toEqual(Array(4).fill(uid));
    expect(
      own
        .find((line) => line.startsWith("Gid:"))
        ?.split("\t")
        .slice(1),
    ).toEqual(Array(4).fill(gid));
    const id = await stack.container(service);
    expect((await stack.docker("inspect", "--format", "{{.HostConfig.ReadonlyRootfs}}", id)).trim()).toBe("true");
  });

  test("the reloader cannot write the upstream file, and has no state file of the provisioner", async () => {
    await expect(stack.inside("reloader", "sh", "-c", "echo x >/var/run/vast-pod/upstream.json")).rejects.toThrow(
      /Read-only file system/,
    );
    await expect(stack.inside("reloader", "ls", "/var/lib/vast-pod")).rejects.toThrow(/No such file/);
  });

  test.each(["provisioner", "reloader"])("vast-%s is on the PATH of its container", async (service) => {
    expect(await stack.inside(service, `vast-${service}`, "--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("the config can be read by nginx and belongs to it", async () => {
    const line = await stack.inside("nginx", "stat", "--format", "%u:%g %a", "/etc/nginx/conf.d/default.conf");
    expect(line.trim()).toBe("101:101 644");
  });

  // Started at once, the containers come up in any order: the volume may be mounted, and empty, when nginx' container is created.
  test("the folder of the config stays nginx' when its container is created while another one has the empty volume", async () => {
    await stack.compose("rm", "--stop", "--force", "nginx", "reloader");
    const holder = `${stack.project}-holder`;
    const mount = `${stack.project}_config:/config:nocopy`;
    await stack.docker(
      "run",
      "--detach",
      "--name",
      holder,
      "--volume",
      mount,
      "--entrypoint",
      "sleep",
      imageOf("reloader"),
      "600",
    );
    try {
      await stack.compose("up", "--detach", "--no-build", "--no-deps", "nginx");
      expect((await stack.inside("nginx", "stat", "--format", "%u:%g", "/etc/nginx/conf.d")).trim()).toBe("101:101");
      expect((await stack.inside("nginx", "ls", "/etc/nginx/conf.d")).trim()).toBe("");
    } finally {
      await stack.docker("rm", "--force", holder);
    }
    await stack.compose("up", "--detach", "--no-build");
    await stack.answered("an answer after all");
  });
});

// In Kubernetes all containers of the pod share one PID namespace: only the different UID hides the key from nginx.
describe("the API key in the environment of a provisioner that shares its PID namespace with nginx", () => {
  const names: string[] = [];
  const docker = (...args: string[]) => command("docker", args, { env: inject("engine") });
  const start = async (user: string) => {
    const name = `vast-pod-key-${process.pid}-${names.length}`;
    names.push(name);
    const env = ["--env", "VAST_API_KEY=key-that-nobody-may-read", "--user", user];
    await docker("run", "--detach", "--name", name, ...env, "--entrypoint", "sleep", imageOf("provisioner"), "600");
    return name;
  };
  /** What a shell with nginx' user reads of the process with PID 1. */
  const readAsNginx = (name: string) =>
    docker(
      "run",
      "--rm",
      "--user",
      "101:101",
      "--pid",
      `container:${name}`,
      "--entrypoint",
      "cat",
      imageOf("reloader"),
      "/proc/1/environ",
    );
  afterAll(async () => {
    for (const name of names) await docker("rm", "--force", name);
  });

  test("cannot be read by nginx' user, because the provisioner has another UID", async () => {
    const name = await start("10001:10001");
    await expect(readAsNginx(name)).rejects.toThrow(/Permission denied/);
  });

  test("could be read if both had the same UID", async () => {
    const name = await start("101:101");
    expect(await readAsNginx(name)).toContain("key-that-nobody-may-read");
  });
});
