import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MANIFESTS } from "../kubernetes/kustomize.ts";
import { kubectl } from "./kubectl.ts";

describe("the overlay for trying it out", () => {
  const namespace = `vast-pod-demo-${process.pid}`;
  beforeAll(async () => void (await kubectl("create", "namespace", namespace)));
  afterAll(() => kubectl("delete", "namespace", namespace, "--wait=false"));

  test("leads to an answer of an instance by the documented commands", async () => {
    await kubectl("apply", "--namespace", namespace, "--kustomize", join(MANIFESTS, "overlays/demo"));
    // The pod is created a moment after its StatefulSet.
    await kubectl("wait", "--namespace", namespace, "--for=create", "pod/vast-pod-0", "--timeout=60s");
    await kubectl("wait", "--namespace", namespace, "--for=condition=Ready", "pod/vast-pod-0", "--timeout=300s");
    const answer = await kubectl("get", "--raw", `/api/v1/namespaces/${namespace}/services/vast-pod:http/proxy/who`);
    expect(JSON.parse(answer)).toMatchObject({ instance: expect.any(Number) });
  });
});
