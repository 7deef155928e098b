import { describe, expect, test } from "vitest";
import { failureIn, lifeOf } from "../../../provisioner/status-words.ts";
import type { Instance } from "../../../provisioner/vast/rows.ts";
import { HOUR, MINUTE, NOW, row } from "./situation.ts";

const life = (over: Partial<Instance>, age = HOUR) => lifeOf(row(over), NOW - age, NOW);

describe("what the API's words mean", () => {
  test("running is running", () => {
    expect(life({})).toEqual({ phase: "running" });
  });

  test.each([null, "scheduling", "loading", "created", "restarting", "rebooting", "recycling", "load_failed", "???"])(
    "%s is starting",
    (actualStatus) => expect(life({ actualStatus })).toEqual({ phase: "starting" }),
  );

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
    [{ intendedStatus: "stopped" }, "outbid"],
    [{ actualStatus: "exited", intendedStatus: "stopped", curState: "stopped", nextState: "stopped" }, "outbid"],
    [{ actualStatus: "loading", nextState: "stopped" }, "stopped"],
  ])("%j is lost after a minute and two reads", (over, status) => {
    expect(life(over)).toEqual({ phase: "lost", status, graceMs: MINUTE, reads: 2 });
  });
});

describe("what a daemon's text says went wrong", () => {
  test.each([
    "Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: x",
    "failed to inject CDI devices: unresolvable CDI devices nvidia.com/gpu=3: unknown",
    "oci runtime create failed",
  ])("is the host's fault: %s", (text) => expect(failureIn(text)).toBe("host_failed"));

  test.each([
    "manifest unknown: manifest unknown",
    "manifest for example/app:9 not found",
    "pull access denied for example/app",
    "repository does not exist or may require 'docker login'",
    "unauthorized: incorrect username or password",
    "failed to resolve reference docker.io/example/app",
    "toomanyrequests: You have reached your pull rate limit",
    "denied: requested access to the resource is denied",
    'OCI runtime create failed: exec: "python serve.py": stat python serve.py: no such file or directory',
    'OCI runtime create failed: exec: "serve": executable file not found in $PATH',
    "exec /start.sh: exec format error",
  ])("is the image's or the login's fault: %s", (text) => expect(failureIn(text)).toBe("image_unavailable"));

  test("is a disk that is too small", () => {
    expect(failureIn("failed to extract layer sha256:0: write /x: No space left on device")).toBe("disk_too_small");
  });

  test.each(["", "success, running example/app_2/args", "Pulling fs layer: 12%", "Downloading 120MB/4GB"])(
    "is nothing: %j",
    (text) => expect(failureIn(text)).toBeNull(),
  );
});
