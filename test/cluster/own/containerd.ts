// The container runtime of our own cluster and its pod network. Touches processes and the given folder.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../../containers/command.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { until } from "../../sandbox/until.ts";
import { POD_RANGE } from "./addresses.ts";

/** In the memory of our own mount namespace. */
export const RUNTIME_SOCKET = "/run/containerd/containerd.sock";
/** As `images.ts` names it. */
const PAUSE_IMAGE = "registry.invalid/vast-pod/pause:1";
/** Where Debian has the network plugins. */
const PLUGINS = "/usr/lib/cni";

const config = (folder: string) => `version = 2
root = "${folder}/containerd"
state = "/run/containerd"
[grpc]
  address = "${RUNTIME_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  disable_apparmor = true
  # Without the capability to lower a process' score, no pod would start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${PLUGINS}"
    conf_dir = "${folder}/network"
`;

const network = (folder: string) => ({
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: "pods0",
      isGateway: true,
      ipMasq: true,
      // A pod may reach itself through its Service.
      hairpinMode: true,
      ipam: {
        type: "host-local",
        dataDir: join(folder, "addresses"),
        ranges: [[{ subnet: POD_RANGE }]],
        routes: [{ dst: "0.0.0.0/0" }],
      },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
});

/** Starts containerd with the images of the archive. */
export async function startContainerd(sandbox: Sandbox, folder: string, images: string, log: string): Promise<void> {
  await mkdir(join(folder, "network"), { recursive: true });
  await writeFile(join(folder, "network", "10-pods.conflist"), JSON.stringify(network(folder)));
  await writeFile(join(folder, "containerd.toml"), config(folder));
  await sandbox.start({
    name: "containerd",
    program: "containerd",
    args: ["--config", join(folder, "containerd.toml")],
    outputFile: log,
  });
  const ctr = (...args: string[]) => command("ctr", ["--address", RUNTIME_SOCKET, "--namespace", "k8s.io", ...args]);
  await until("containerd answers", () => ctr("version"), { timeoutMs: 60_000, everyMs: 250 });
  await ctr("images", "import", images);
}
