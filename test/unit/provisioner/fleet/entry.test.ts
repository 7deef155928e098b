import { expect, test } from "vitest";
import { formatEntry, parseEntry } from "../../../../provisioner/fleet/entry.ts";
import { failureIn } from "../../../../provisioner/model/instance-phase.ts";
import { LABEL, NOW, row } from "../plan/situation.ts";

function published(statusMessage: string): string | undefined {
  const entry = parseEntry(formatEntry({ askedAt: NOW, rows: [row({ statusMessage })] }), LABEL);
  return entry !== null && "rows" in entry ? entry.rows[0]?.statusMessage : undefined;
}

test("an entry is read as it was published", () => {
  const rows = [row({ label: LABEL, ports: { "8000/tcp": 41234 }, actualStatus: null, createdAt: 12.5 })];
  expect(parseEntry(formatEntry({ askedAt: NOW, rows }), LABEL)).toEqual({ askedAt: NOW, rows });
  expect(parseEntry(formatEntry({ askedAt: NOW, rows: [] }), LABEL)).toEqual({ askedAt: NOW, rows: [] });
});

test("an entry that says why the instances are not known is read as it was published", () => {
  const entry = { askedAt: NOW, why: { message: "HTTP 200: a row has no readable id", account: null } };
  expect(parseEntry(formatEntry(entry), LABEL)).toEqual(entry);
});

test.each([
  ["half-written", '{"askedAt":17950000'],
  ["without rows", '{"askedAt":1795000000000}'],
  ["with a row that has no id", '{"askedAt":1795000000000,"rows":[{}]}'],
  ["with a port that is none", formatEntry({ askedAt: NOW, rows: [row({ ports: { "8000/tcp": 0 } })] })],
  ["with an instance of another label", formatEntry({ askedAt: NOW, rows: [row(), row({ label: `${LABEL}0` })] })],
])("an entry %s is unknown, not empty", (_, text) => {
  expect(parseEntry(text, LABEL)).toBeNull();
});

test("what may be a secret of another pod is not published", () => {
  expect(published("docker login -u robot -p hunter2 registry.example failed")).toBe(
    "docker login -u robot -p [masked] registry.example failed",
  );
  expect(published("GET https://robot:hunter2@registry.example/v2/: 401")).toBe(
    "GET https://[masked]@registry.example/v2/: 401",
  );
  expect(published("login with dckr_pat_9fK3aJw8Qm2Lx7Rt5 failed")).toBe("login with [masked] failed");
  expect(published("password=hunter2, token: abc")).not.toMatch(/hunter2|abc/);
});

test.each([
  "Error response from daemon: manifest for example/app:9 not found: manifest unknown",
  "Head https://registry.example/v2/app/manifests/9: no basic auth credentials",
  "pull access denied for example/app, repository does not exist or may require 'docker login': denied",
  "unauthorized: authentication required",
  "OCI runtime create failed: nvidia-container-cli: initialization error",
  'exec: "/start.sh": permission denied',
  "write /var/lib/docker/tmp/GetImageBlob123456789: no space left on device",
])("the failure in %j is still recognised", (text) => {
  expect(failureIn(text)).not.toBeNull();
  expect(failureIn(published(text) ?? "")).toBe(failureIn(text));
});
