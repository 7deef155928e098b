// Whether the pod's service account may read what VAST_ON_TERMINATE=scale-down asks the cluster for. Touches the Kubernetes API.
import * as z from "zod";
import { messageOf } from "../../common/errors.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import type { OnTerminate } from "../model/desired.ts";
import { type Finding, fail, ok, skip } from "./findings.ts";

export interface ClusterParts {
  /** Undefined: the setting cannot be read. */
  onTerminate: OnTerminate | undefined;
  inKubernetes: boolean;
  /** Throws an error that says what to do. */
  open(): Cluster;
}

// What the end of a pod reads; see the Role of the component scale-down.
const READS = [
  { group: "", resource: "pods" },
  { group: "apps", resource: "statefulsets" },
  { group: "", resource: "namespaces" },
] as const;
const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const ROLE = "add the component scale-down to the overlay, or give the service account its Role";

const review = z.object({ status: z.object({ allowed: z.boolean() }) });

export async function checkCluster(parts: ClusterParts, signal: AbortSignal): Promise<Finding> {
  const { onTerminate, inKubernetes, open } = parts;
  if (onTerminate !== "scale-down") {
    const why = inKubernetes ? `VAST_ON_TERMINATE is ${onTerminate ?? "?"}` : "not in a pod of Kubernetes";
    return skip("cluster", `${why}: the cluster is not asked`);
  }
  let cluster: Cluster;
  try {
    cluster = open();
  } catch (error) {
    return fail(
      "cluster",
      messageOf(error),
      "run doctor in the pod; elsewhere VAST_ON_TERMINATE=scale-down cannot work",
    );
  }
  const { namespace } = cluster;
  const answers = await Promise.all(
    READS.map(async ({ group, resource }) => {
      const attributes = { namespace, verb: "get", group, resource };
      const body = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: attributes },
      };
      const answer = await cluster.post(REVIEWS, body, signal);
      if (answer.kind === "unknown") return { resource, allowed: null, why: answer.why };
      const read = review.safeParse(answer.body);
      if (answer.kind === "missing" || !read.success) return { resource, allowed: null, why: "not an access review" };
      return { resource, allowed: read.data.status.allowed, why: "" };
    }),
  );
  const unknown = answers.find(({ allowed }) => allowed === null);
  if (unknown !== undefined)
    return fail(
      "cluster",
      `cannot tell what may be read: ${unknown.why}`,
      "check the service account and the network policy",
    );
  const denied = answers.filter(({ allowed }) => allowed === false).map(({ resource }) => resource);
  if (denied.length > 0)
    return fail("cluster", `in ${namespace} the service account may not get ${denied.join(", ")}`, ROLE);
  return ok("cluster", `may get ${READS.map(({ resource }) => resource).join(", ")} in the namespace ${namespace}`);
}
