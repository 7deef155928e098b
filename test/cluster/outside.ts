// The manifests of what is outside of the pods under test, in a namespace of its own: the emulator of Vast.ai as the demo has it, with a
// port of the node, and a client of the Service. Reads files of the checkout.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { VERSION } from "../../common/version.ts";
import { MANIFESTS } from "../kubernetes/kustomize.ts";
import { ROOT } from "../sandbox/sandbox.ts";

export const EMULATOR = "vast-pod-emulator";
export const CLIENT = "client";
/** Behind this Service all callers have the address of the node, as behind the NAT of most clusters. */
export const NODE_PORT_SERVICE = "vast-api";

const IMAGE = `registry.invalid/vast-pod/emulator:${VERSION}`;
const CLIENT_PORT = 9000;

/** `outside` is the namespace for these, `inside` the one of the pods under test. */
export function outsideObjects(outside: string, inside: string): object[] {
  return [...emulator(outside), nodePort, program(), client(inside)];
}

function emulator(outside: string): object[] {
  const text = readFileSync(join(MANIFESTS, "overlays/demo/emulator.yaml"), "utf8");
  return parseAllDocuments(text).map((document) => {
    const container = ["spec", "template", "spec", "containers", 0];
    if (document.get("kind") === "Deployment") {
      document.setIn([...container, "image"], IMAGE);
      document.setIn(
        [...container, "args"],
        ["--host", "0.0.0.0", "--advertise", `${EMULATOR}.${outside}`, "--boot-seconds", "4"],
      );
    }
    return document.toJS() as object;
  });
}

const nodePort = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: NODE_PORT_SERVICE },
  spec: {
    type: "NodePort",
    selector: { "app.kubernetes.io/name": "vast-pod", "app.kubernetes.io/component": "emulator" },
    ports: [{ name: "http", port: 8090, targetPort: "http" }],
  },
};

const program = () => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: CLIENT },
  data: { "client.mjs": readFileSync(join(ROOT, "test/cluster/client.mjs"), "utf8") },
});

const client = (inside: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: CLIENT, labels: { app: CLIENT } },
  spec: {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsNonRoot: true, runAsUser: 10002, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: CLIENT,
        image: IMAGE,
        command: ["node", "/client/client.mjs", `vast-pod.${inside}`],
        ports: [{ name: "http", containerPort: CLIENT_PORT }],
        readinessProbe: { tcpSocket: { port: "http" } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        volumeMounts: [{ name: CLIENT, mountPath: "/client" }],
      },
    ],
    volumes: [{ name: CLIENT, configMap: { name: CLIENT } }],
  },
});
