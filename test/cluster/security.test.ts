import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./stage.ts";

// One deployment for all tests, which run one after another.
describe("the shipped manifests on a cluster", () => {
  let stage: Stage;
  let printed = "";
  beforeAll(async () => {
    stage = await openStage("security");
    printed = await stage.apply();
    await stage.serving(1);
  });
  afterAll(() => stage?.close());

  const inside = (container: string, script: string) =>
    stage.kubectl("exec", "vast-pod-0", "--container", container, "--", "sh", "-c", script);
  const may = async (account: string, ...what: string[]) => {
    const as = `--as=system:serviceaccount:${stage.namespace}:${account}`;
    // `can-i` prints its answer, and ends with 1 for "no".
    return (await stage.kubectl("auth", "can-i", as, ...what).catch((error: Error) => error.message)).trim();
  };

  test("are accepted under the restricted pod security without a warning", () => {
    expect(printed).toContain("statefulset.apps/vast-pod created");
  });

  test.each([
    ["vast-pod", "get", "pods"],
    ["vast-pod", "get", "statefulsets.apps"],
    ["vast-pod-reaper", "list", "pods"],
    ["vast-pod-reaper", "list", "statefulsets.apps"],
  ])("let %s %s %s", async (account, ...what) => {
    expect(await may(account, ...what)).toBe("yes");
  });

  test.each([
    ["vast-pod", "get", "secrets"],
    ["vast-pod", "list", "pods"],
    ["vast-pod", "delete", "pods"],
    ["vast-pod", "update", "statefulsets.apps"],
    ["vast-pod", "list", "namespaces"],
    ["vast-pod-reaper", "get", "secrets"],
    ["vast-pod-reaper", "delete", "pods"],
  ])("do not let %s %s %s", async (account, ...what) => {
    expect(await may(account, ...what)).toMatch(/(^|\n)no(\n|$)/);
  });

  test.each([
    ["provisioner", 10001],
    ["reloader", 101],
    ["nginx", 101],
  ])("run the %s as user %i without any capability", async (container, uid) => {
    expect((await inside(container, "id -u")).trim()).toBe(String(uid));
    const status = await inside(container, "cat /proc/self/status");
    expect(status).toMatch(/^CapEff:\s+0000000000000000$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    await expect(inside(container, "touch /written")).rejects.toThrow(/Read-only file system/);
  });

  test("keep the provisioner's environment and files from nginx", async () => {
    const script = `for one in /proc/[0-9]*; do case "$(tr '\\0' ' ' 2>/dev/null <$one/cmdline)" in
      "node "*"/app/provisioner.mjs"*) cat $one/environ; ls -L $one/root ;; esac; done; true`;
    const denied = await inside("nginx", `(${script}) 2>&1`);
    expect(denied).toMatch(/environ: Permission denied/);
    expect(denied).toMatch(/root\/?'?: Permission denied/);
  });
});
