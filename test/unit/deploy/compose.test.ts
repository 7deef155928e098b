// The settings in docker-compose.yml.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { PROVISIONER_VARIABLES } from "../../../provisioner/variables.ts";
import { RELOADER_VARIABLES } from "../../../reloader/variables.ts";

const text = readFileSync(new URL("../../../docker-compose.yml", import.meta.url), "utf8");
type Container = "provisioner" | "reloader";
interface Mount {
  source?: string;
  volume?: { nocopy?: boolean };
}
const { services, volumes } = parse(text) as {
  services: Record<Container, { environment: Record<string, string>; volumes?: (string | Mount)[] }>;
  volumes: Record<string, { driver_opts?: object } | null>;
};

// Paths and addresses that the compose file decides.
const OF_THE_FILE = [
  ...["NGINX_CONFIG_PATH", "NGINX_PID_FILE", "NGINX_ERROR_LOG", "NGINX_TEMPLATE_PATH", "UPSTREAM_PATH", "STATE_PATH"],
  ...["NGINX_LISTEN_PORT", "NGINX_STATUS_PORT", "PROVISIONER_STATUS_PORT", "RELOADER_STATUS_PORT"],
];

describe.each([
  ["provisioner", PROVISIONER_VARIABLES],
  ["reloader", RELOADER_VARIABLES],
] as const)("the %s of the compose stack", (container, variables) => {
  const { environment } = services[container];

  test("gets every setting that can be in .env", () => {
    const open = Object.keys(variables).filter((name) => !OF_THE_FILE.includes(name));
    expect(open.filter((name) => !environment[name]?.startsWith(`\${${name}:-`))).toEqual([]);
  });

  test("gets nothing but settings", () => {
    expect(Object.keys(environment).filter((name) => !(name in variables))).toEqual([]);
  });
});

test("the pod of the compose stack is named unlike the pods of a StatefulSet vast-pod, which would share its instance", () => {
  expect(services.provisioner.environment.POD_NAME).not.toMatch(/:-vast-pod-\d+\}$/);
});

test("no container copies its image's files, and their owner, into a volume in memory", () => {
  const inMemory = Object.keys(volumes).filter((name) => volumes[name]?.driver_opts !== undefined);
  expect(inMemory).toEqual(["config", "run", "upstream"]);
  const mounts = Object.values(services).flatMap((service) => service.volumes ?? []);
  for (const name of inMemory) {
    expect(mounts.filter((mount) => typeof mount === "string" && mount.startsWith(`${name}:`))).toEqual([]);
    const own = mounts.filter((mount) => typeof mount !== "string" && mount.source === name);
    expect(own.length).toBeGreaterThan(1);
    expect(own).toEqual(own.map(() => expect.objectContaining({ volume: { nocopy: true } })));
  }
});
