import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { MANIFESTS, render } from "../kubernetes/kustomize.ts";
import { podTemplatesOf } from "../kubernetes/pods.ts";
import { claimPorts, type PortBlock } from "../sandbox/ports.ts";
import { ROOT } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { NGINX_IMAGE } from "./base-images.ts";
import { command } from "./command.ts";

// The provisioner gets SIGTERM after nginx has exited, and needs this much of the pod's grace period: the default of
// VAST_TERMINATE_SECONDS, and some seconds to log what is left.
const LEFT_FOR_THE_INSTANCE_SECONDS = 105;

describe("nginx at the end of a pod with scale-down", () => {
  let ports: PortBlock;
  let folder = "";
  let url = "";
  const name = `vast-pod-drain-${process.pid}`;
  const docker = (...args: string[]) => command("docker", args, { env: inject("engine") });

  beforeAll(async () => {
    ports = await claimPorts();
    const port = await ports.take();
    url = `http://127.0.0.1:${port}`;
    folder = await mkdtemp(join(tmpdir(), "vast-pod-drain-"));
    await command("chmod", ["755", folder]);
    // One byte a second: the answer takes longer than the grace period.
    const endless = `location /endless { limit_rate_after 1k; limit_rate 1; return 200 "${"x".repeat(2000)}"; }`;
    await writeFile(
      join(folder, "default.conf"),
      `server { listen 127.0.0.1:${port}; location / { return 204; } ${endless} }\n`,
    );
    await docker(
      ...["run", "--detach", "--name", name, "--network", "host", "--user", "101:101", "--read-only"],
      ...["--tmpfs", "/var/run/nginx:uid=101,gid=101", "--tmpfs", "/var/cache/nginx:uid=101,gid=101"],
      ...[
        "--volume",
        `${ROOT}/deploy/nginx.conf:/etc/nginx/nginx.conf:ro`,
        "--volume",
        `${folder}:/etc/nginx/conf.d:ro`,
      ],
      ...["--entrypoint", "nginx", NGINX_IMAGE, "-e", "/var/run/nginx/error.log", "-g", "daemon off;"],
    );
    await until("nginx answers", async () => (await fetch(url)).status === 204, {
      timeoutMs: 30_000,
      context: () => docker("logs", name),
    });
  });
  afterAll(async () => {
    await docker("rm", "--force", name);
    await rm(folder, { recursive: true, force: true });
    await ports?.release();
  });

  test("leaves the provisioner time to destroy the instance, even if an answer is still being sent", async () => {
    const set = (await render(join(MANIFESTS, "overlays/standard"))).find(
      (one) => one.kind === "StatefulSet" && one.metadata.name === "vast-pod",
    );
    const [pod] = set === undefined ? [] : podTemplatesOf(set);
    const preStop = pod?.containers.find((one) => one.name === "nginx")?.lifecycle?.preStop?.exec.command ?? [];
    const grace = pod?.terminationGracePeriodSeconds ?? 0;
    await new Promise<void>((resolve, reject) => {
      const call = request(`${url}/endless`, (response) => {
        response.on("error", () => undefined); // it is cut off, as intended
        response.once("data", () => resolve());
      });
      call.on("error", reject);
      call.end();
    });
    const toldAt = Date.now();
    // As the kubelet does: the hook, then the image's stop signal, then SIGKILL after the grace period.
    await docker("exec", name, ...preStop);
    const hookSeconds = (Date.now() - toldAt) / 1000;
    expect(hookSeconds).toBeGreaterThan(4);
    expect(hookSeconds).toBeLessThan(10);
    await docker("stop", "--time", String(Math.round(grace - hookSeconds)), name);
    const seconds = (Date.now() - toldAt) / 1000;
    expect(seconds).toBeGreaterThan(30); // a running answer gets its time
    expect(grace - seconds).toBeGreaterThan(LEFT_FOR_THE_INSTANCE_SECONDS);
    expect((await docker("inspect", "--format", "{{.State.ExitCode}}", name)).trim()).toBe("0");
  });
});
