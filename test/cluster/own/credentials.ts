// Keys, certificates, tokens and kubeconfigs of our own cluster, new for every run. Touches the given folder and openssl.
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../../containers/command.ts";
import { API_SERVICE_IP, API_URL, DOMAIN, NODE, NODE_IP } from "./addresses.ts";

/** Who may call the API server: user name and group. The roles of these names exist in every cluster. */
const USERS = {
  admin: { user: "admin", group: "system:masters" },
  "controller-manager": { user: "system:kube-controller-manager", group: "" },
  scheduler: { user: "system:kube-scheduler", group: "" },
  kubelet: { user: `system:node:${NODE}`, group: "system:nodes" },
  proxy: { user: "system:kube-proxy", group: "" },
} as const;

export interface Credentials {
  /** Paths by name: `ca.crt`, `server.crt`, `server.key`, `client.crt`, `client.key`, `accounts.key`, `accounts.pub`, `tokens.csv`. */
  path(name: string): string;
  kubeconfig(user: keyof typeof USERS): string;
  /** The bearer token of the administrator. */
  token: string;
}

export async function makeCredentials(folder: string): Promise<Credentials> {
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => command("openssl", args, { cwd: folder });
  const key = (name: string) =>
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", `${name}.key`);
  const days = ["-days", "2"];
  await key("ca");
  await openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=test cluster", ...days, "-out", "ca.crt");
  const sign = async (name: string, subject: string, extensions: string) => {
    await key(name);
    await openssl("req", "-new", "-key", `${name}.key`, "-subj", subject, "-out", `${name}.csr`);
    await writeFile(path(`${name}.ext`), extensions);
    const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", ...days];
    await openssl("x509", "-req", "-in", `${name}.csr`, ...authority, "-extfile", `${name}.ext`, "-out", `${name}.crt`);
  };
  const names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", `kubernetes.default.svc.${DOMAIN}`];
  const addresses = [API_SERVICE_IP, NODE_IP, "127.0.0.1"];
  const alternatives = [...names.map((one) => `DNS:${one}`), ...addresses.map((one) => `IP:${one}`)];
  await sign("server", "/CN=kube-apiserver", `subjectAltName=${alternatives.join(",")}\nextendedKeyUsage=serverAuth\n`);
  // With this one the API server calls the kubelet, for logs and exec.
  await sign("client", "/O=system:masters/CN=kube-apiserver", "extendedKeyUsage=clientAuth\n");
  await key("accounts");
  await openssl("pkey", "-in", "accounts.key", "-pubout", "-out", "accounts.pub");

  const rows: string[] = [];
  let adminToken = "";
  for (const [name, { user, group }] of Object.entries(USERS)) {
    const token = randomBytes(24).toString("hex");
    if (name === "admin") adminToken = token;
    rows.push(`${token},${user},${name}${group === "" ? "" : `,"${group}"`}\n`);
    await writeFile(path(`${name}.kubeconfig`), kubeconfig(path("ca.crt"), token), { mode: 0o600 });
  }
  await writeFile(path("tokens.csv"), rows.join(""), { mode: 0o600 });
  return { path, kubeconfig: (user) => path(`${user}.kubeconfig`), token: adminToken };
}

const kubeconfig = (ca: string, token: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "own", cluster: { server: API_URL, "certificate-authority": ca } }],
    users: [{ name: "own", user: { token } }],
    contexts: [{ name: "own", context: { cluster: "own", user: "own" } }],
    "current-context": "own",
  });
