// Whether the pod's service account has the rights for VAST_ON_TERMINATE=scale-down and for KUBERNETES_EVENTS. Touches the Kubernetes API.
import * as z from "zod";
import { messageOf } from "../../common/errors.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import type { OnTerminate } from "../model/desired.ts";
import { type Finding, fail, ok, skip } from "./findings.ts";

export interface ClusterParts {
  /** Undefined: the setting cannot be read. */
  onTerminate: OnTerminate | undefined;
  events: boolean | undefined;
  inKubernetes: boolean;
  /** Throws an error that says what to do. */
  open(): Cluster;
}

interface Use {
  setting: string;
  component: string;
  rights: readonly { verb: string; group: string; resource: string }[];
}
// What the end of a pod reads; see the Role of the component.
const SCALE_DOWN: Use = {
  setting: "VAST_ON_TERMINATE=scale-down",
  component: "scale-down",
  rights: [
    { verb: "get", group: "", resource: "pods" },
    { verb: "get", group: "apps", resource: "statefulsets" },
    { verb: "get", group: "", resource: "namespaces" },
  ],
};
const EVENTS: Use = {
  setting: "KUBERNETES_EVENTS=true",
  component: "events",
  rights: [
    { verb: "create", group: "", resource: "events" },
    { verb: "patch", group: "", resource: "events" },
    { verb: "get", group: "", resource: "pods" },
    { verb: "patch", group: "", resource: "pods" },
  ],
};
const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

const review = z.object({ status: z.object({ allowed: z.boolean() }) });

export async function checkCluster(parts: ClusterParts, signal: AbortSignal): Promise<Finding[]> {
  const { onTerminate, events, inKubernetes, open } = parts;
  const uses = [...(onTerminate === "scale-down" ? [SCALE_DOWN] : []), ...(events === true ? [EVENTS] : [])];
  if (uses.length === 0) {
    const why = inKubernetes
      ? `VAST_ON_TERMINATE is ${onTerminate ?? "?"}, KUBERNETES_EVENTS is ${events ?? "?"}`
      : "not in a pod of Kubernetes";
    return [skip("cluster", `${why}: the cluster is not asked`)];
  }
  let cluster: Cluster;
  try {
    cluster = open();
  } catch (error) {
    const settings = uses.map(({ setting }) => setting).join(" and ");
    return [fail("cluster", messageOf(error), `run doctor in the pod; elsewhere ${settings} cannot work`)];
  }
  return Promise.all(uses.map((use) => checkUse(use, cluster, signal)));
}

async function checkUse({ setting, component, rights }: Use, cluster: Cluster, signal: AbortSignal): Promise<Finding> {
  const { namespace } = cluster;
  const answers = await Promise.all(
    rights.map(async ({ verb, group, resource }) => {
      const attributes = { namespace, verb, group, resource };
      const body = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: attributes },
      };
      const right = `${verb} ${resource}`;
      const answer = await cluster.post(REVIEWS, body, signal);
      if (answer.kind === "unknown") return { right, allowed: null, why: answer.why };
      const read = review.safeParse(answer.body);
      if (answer.kind === "missing" || !read.success) return { right, allowed: null, why: "not an access review" };
      return { right, allowed: read.data.status.allowed, why: "" };
    }),
  );
  const unknown = answers.find(({ allowed }) => allowed === null);
  if (unknown !== undefined) {
    const remedy = "check the service account and the network policy";
    return fail("cluster", `cannot tell what is allowed for ${setting}: ${unknown.why}`, remedy);
  }
  const denied = answers.filter(({ allowed }) => allowed === false).map(({ right }) => right);
  if (denied.length > 0) {
    const text = `in ${namespace} the service account may not ${denied.join(", ")}, which ${setting} needs`;
    return fail("cluster", text, `add the component ${component} to the overlay, or give the service account its Role`);
  }
  return ok("cluster", `may ${answers.map(({ right }) => right).join(", ")} in ${namespace}: ${setting}`);
}
