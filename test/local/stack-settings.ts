// Arguments and environment of each program of the local stack. Pure.
import { join } from "node:path";
import type { NginxPaths } from "../sandbox/nginx.ts";

/** The stack's folder and its ports, which were free when it started. */
export interface StackLayout {
  folder: string;
  proxyPort: number;
  emulatorPort: number;
  provisionerPort: number;
  reloaderPort: number;
  nginxStatusPort: number;
}

// Long enough to read the steps, short enough to wait for.
const BOOT_SECONDS = 4;

const url = (port: number) => `http://127.0.0.1:${port}`;

/** The address of the pod's proxy. */
export const proxyUrl = (layout: StackLayout): string => url(layout.proxyPort);
/** The address of the Vast.ai emulator. */
export const emulatorUrl = (layout: StackLayout): string => url(layout.emulatorPort);

export function emulatorArgs(layout: StackLayout): string[] {
  return ["dist/emulator.mjs", "--port", String(layout.emulatorPort), "--boot-seconds", String(BOOT_SECONDS)];
}

export function provisionerEnv(layout: StackLayout): Record<string, string> {
  return {
    POD_NAME: "vast-pod-0",
    VAST_URL: emulatorUrl(layout),
    VAST_API_KEY: "emulator-key",
    VAST_TEMPLATE_NAME: "demo",
    VAST_TEMPLATE_IMAGE: "example/app:2",
    DOCKER_LOGIN: "-u demo -p demo-password registry.example",
    VAST_SEARCH_QUERY: JSON.stringify({
      gpu_name: { eq: "RTX 4090" },
      num_gpus: { eq: 1 },
      reliability2: { gte: 0.9 },
      rentable: { eq: true },
      order: [["dph_total", "asc"]],
      limit: 20,
    }),
    // The emulated account starts empty, so the waits that protect a real account would only cost time.
    VAST_FIRST_CREATE_WAIT_SECONDS: "1",
    VAST_DRAIN_SECONDS: "1",
    // Trying things out creates more instances in an hour than a pod does.
    VAST_MAX_CREATES_PER_HOUR: "100",
    UPSTREAM_PATH: join(layout.folder, "shared", "upstream.json"),
    STATE_PATH: join(layout.folder, "state", "provisioner.json"),
    PROVISIONER_STATUS_PORT: String(layout.provisionerPort),
    RELOADER_STATUS_PORT: String(layout.reloaderPort),
    // Everything runs on this machine, the instances too.
    UPSTREAM_ALLOW_LOCAL: "true",
  };
}

export function reloaderEnv(layout: StackLayout, nginx: NginxPaths): Record<string, string> {
  return {
    UPSTREAM_PATH: join(layout.folder, "shared", "upstream.json"),
    NGINX_CONFIG_PATH: join(nginx.confFolder, "default.conf"),
    NGINX_PID_FILE: nginx.pidFile,
    NGINX_ERROR_LOG: nginx.errorLog,
    NGINX_LISTEN_PORT: String(layout.proxyPort),
    NGINX_STATUS_PORT: String(layout.nginxStatusPort),
    RELOADER_STATUS_PORT: String(layout.reloaderPort),
    // Everything runs on this machine, the instances too.
    UPSTREAM_ALLOW_LOCAL: "true",
  };
}
