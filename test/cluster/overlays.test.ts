import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MANIFESTS } from "../kubernetes/kustomize.ts";
import { kubectl } from "./kubectl.ts";

describe("the overlays as shipped", () => {
  const namespace = `vast-pod-overlays-${process.pid}`;
  beforeAll(async () => {
    await kubectl("create", "namespace", namespace);
    const security = "pod-security.kubernetes.io";
    await kubectl("label", "namespace", namespace, `${security}/enforce=restricted`, `${security}/warn=restricted`);
  });
  afterAll(() => kubectl("delete", "namespace", namespace, "--wait=false"));

  const apply = (overlay: string, ...more: string[]) =>
    kubectl(
      ...["apply", "--namespace", namespace, "--warnings-as-errors", ...more],
      ...["--kustomize", join(MANIFESTS, "overlays", overlay)],
    );

  // The namespace is still empty, so nothing is compared with what was applied before.
  test.each(["demo", "standard", "full", "example"])("are accepted by the API server: %s", async (overlay) => {
    expect(await apply(overlay, "--dry-run=server")).toContain("statefulset.apps/vast-pod created (server dry run)");
  });

  test("lead to an answer of an instance by the documented commands for trying it out", async () => {
    await apply("demo");
    // The pod is created a moment after its StatefulSet.
    await kubectl("wait", "--namespace", namespace, "--for=create", "pod/vast-pod-0", "--timeout=60s");
    await kubectl("wait", "--namespace", namespace, "--for=condition=Ready", "pod/vast-pod-0", "--timeout=300s");
    const answer = await kubectl("get", "--raw", `/api/v1/namespaces/${namespace}/services/vast-pod:http/proxy/who`);
    expect(JSON.parse(answer)).toMatchObject({ instance: expect.any(Number) });
  });
});
