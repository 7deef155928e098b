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

  // The namespace is still empty, so nothing is compared with what was applied before.
  test.each(["demo", "standard", "full", "example"])("are accepted by the API server: %s", async (overlay) => {
    const printed = await kubectl(
      ...["apply", "--namespace", namespace, "--warnings-as-errors", "--dry-run=server"],
      ...["--kustomize", join(MANIFESTS, "overlays", overlay)],
    );
    expect(printed).toContain("statefulset.apps/vast-pod created (server dry run)");
  });
});
