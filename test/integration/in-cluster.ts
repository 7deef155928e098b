// Lets a program take a fake cluster for the one in which its pod runs. Touches the pod's sandbox.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FakeCluster } from "../kubernetes/fake-cluster.ts";
import type { Pod } from "./pod.ts";

/** The variables of the program. */
export async function inClusterEnv(pod: Pod, cluster: FakeCluster): Promise<Record<string, string>> {
  const folder = await pod.sandbox.subfolder("service-account");
  for (const [name, text] of Object.entries(cluster.serviceAccount)) await writeFile(join(folder, name), text);
  return {
    KUBERNETES_SERVICE_HOST: "127.0.0.1",
    KUBERNETES_SERVICE_PORT: String(cluster.port),
    NODE_OPTIONS: "--import ./test/integration/service-account.mjs",
    VAST_POD_TEST_SERVICE_ACCOUNT: folder,
  };
}
