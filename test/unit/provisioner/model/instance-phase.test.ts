import { describe, expect, test } from "vitest";
import { failureIn, phaseOf } from "../../../../provisioner/model/instance-phase.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { HOUR, MINUTE, NOW, row } from "../plan/situation.ts";

const life = (over: Partial<Instance>, age = HOUR) => phaseOf(row(over), NOW - age, NOW);

describe("what the API's words mean", () => {
  test("running is running", () => {
    expect(life({})).toEqual({ phase: "running" });
  });

  test.each([
    null,
    "scheduling",
    "loading",
    "created",
    "restarting",
    "rebooting",
    "recycling",
    "load_failed",
    "unloaded",
    "???",
  ])("%s is starting", (actualStatus) => expect(life({ actualStatus })).toEqual({ phase: "starting" }));

  test.each(["exited", "frozen"])("%s is lost after two minutes, after ten just after a start", (actualStatus) => {
    const lost = { phase: "lost", status: actualStatus, reads: 1 };
    expect(life({ actualStatus })).toEqual({ ...lost, graceMs: 2 * MINUTE });
    expect(life({ actualStatus }, 10 * MINUTE - 1)).toEqual({ ...lost, graceMs: 10 * MINUTE });
    expect(life({ actualStatus }, 10 * MINUTE)).toEqual({ ...lost, graceMs: 2 * MINUTE });
  });

  test.each(["unknown", "offline"])("%s is lost after ten minutes", (actualStatus) => {
    expect(life({ actualStatus })).toMatchObject({
      phase: "lost",
      status: actualStatus,
      graceMs: 10 * MINUTE,
      reads: 1,
    });
  });

  test.each([
    [{ actualStatus: "stopped" }, "stopped"],
    [{ curState: "stopped" }, "stopped"],
    [{ nextState: "stopped" }, "stopped"],
    [{ intendedStatus: "stopped" }, "stopped"],
    [{ actualStatus: "exited", intendedStatus: "stopped", curState: "stopped", nextState: "stopped" }, "stopped"],
    [{ actualStatus: "loading", nextState: "stopped" }, "stopped"],
  ])("%j is lost after a minute and two reads", (over, status) => {
    expect(life(over)).toEqual({ phase: "lost", status, graceMs: MINUTE, reads: 2 });
  });

  test.each([
    { actualStatus: "stopped" },
    { curState: "stopped" },
    { nextState: "stopped" },
    { intendedStatus: "stopped" },
    { actualStatus: "exited", intendedStatus: "stopped", curState: "stopped", nextState: "stopped" },
  ])("%j of an interruptible instance says that it was outbid: it is lost after 10 s and two reads", (over) => {
    expect(life({ ...over, isBid: true })).toEqual({ phase: "lost", status: "outbid", graceMs: 10_000, reads: 2 });
  });
});

describe("failures in a daemon's text", () => {
  const OCI =
    "Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed:";
  const INIT = `${OCI} runc create failed: unable to start container process: error during container init:`;

  test.each([
    `${OCI} x`,
    `${INIT} failed to inject CDI devices: unresolvable CDI devices nvidia.com/gpu=0: unknown\nError: failed to start containers: C.42`,
    "failed to inject CDI devices: unresolvable CDI devices nvidia.com/gpu=3: unknown",
    `${INIT} error running hook #0: error running hook: exit status 1, stderr: nvidia-container-cli: initialization error: nvml error: driver not loaded`,
    `${INIT} exec: "nvidia-container-runtime-hook": executable file not found in $PATH: unknown`,
    'could not select device driver "" with capabilities: [[gpu]]',
    "oci runtime create failed",
  ])("is the host's fault: %s", (text) => expect(failureIn(text)).toBe("host_failed"));

  test.each([
    "manifest unknown: manifest unknown",
    "manifest for example/app:9 not found",
    "Error response from daemon: manifest for example/app:9 not found: manifest unknown: manifest unknown",
    "pull access denied for example/app, repository does not exist or may require 'docker login'",
    "repository does not exist or may require 'docker login'",
    "unauthorized: incorrect username or password",
    'Head "https://registry.example/v2/app/manifests/2": unauthorized: authentication required',
    "failed to resolve reference docker.io/example/app",
    "toomanyrequests: You have reached your pull rate limit",
    "You have reached your pull rate limit. You may increase the limit by authenticating",
    "denied: requested access to the resource is denied",
    "Error response from daemon: Get https://registry.example/v2/app/manifests/2: no basic auth credentials",
    "denied: access forbidden",
    "failed to authorize: failed to fetch oauth token: server message: insufficient_scope: authorization failed",
    "invalid reference format: repository name must be lowercase",
  ])("is the image's or the login's fault: %s", (text) => expect(failureIn(text)).toBe("image_unavailable"));

  test.each([
    `${INIT} exec: "python serve.py": stat python serve.py: no such file or directory: unknown`,
    'OCI runtime create failed: exec: "serve": executable file not found in $PATH',
    `${OCI} exec: "/app": permission denied: unknown`,
    `${OCI} exec: "/app": is a directory: unknown`,
    "exec /start.sh: exec format error",
    "exec /start.sh: no such file or directory",
    "standard_init_linux.go:228: exec user process caused: exec format error",
    "Error response from daemon: No command specified",
    "no matching manifest for linux/amd64 in the manifest list entries",
    `${INIT} error running hook #0: nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8`,
  ])("is an image that cannot be started, which is no host's fault: %s", (text) =>
    expect(failureIn(text)).toBe("image_cannot_start"),
  );

  test("is a disk that is too small", () => {
    expect(failureIn("failed to extract layer sha256:0: write /x: No space left on device")).toBe("disk_too_small");
  });

  test.each([
    "",
    "success",
    "success, running example/app_2/args",
    "Pulling fs layer: 12%",
    "Downloading 120MB/4GB",
    "2: Pulling from example/unauthorized",
    "example/unauthorized:2: Pulling from library",
    "4f4fb700ef54: Verifying Checksum\n4f4fb700ef54: Download complete\n9d1b: Waiting",
    "4f4fb700ef54: Retrying in 5 seconds",
    "Status: Downloaded newer image for example/error-failed-denied:2",
    "Loading from cache, 3 of 12 layers exist already",
  ])("is nothing: %j", (text) => expect(failureIn(text)).toBeNull());
});
