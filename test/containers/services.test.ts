// What test/setup.sh leaves of the services that it installs, as root in a container, with a package manager that does as Debian's.
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { ROOT } from "../sandbox/sandbox.ts";
import { NODE_IMAGE } from "./base-images.ts";
import { command } from "./command.ts";

const WANTS = "/etc/systemd/system/multi-user.target.wants";

const FAKES: Readonly<Record<string, readonly string[]>> = {
  "apt-cache": [],
  "dpkg-deb": [],
  // The package brings a program, a socket and a service, and the service of another package that it needs.
  "apt-get": [
    'case "$*" in *--download-only*) exit 0 ;; esac',
    "cp /bin/true /usr/bin/engine",
    "mkdir -p /etc/systemd/system/sockets.target.wants",
    "ln -s /lib/engine.socket /etc/systemd/system/sockets.target.wants/engine.socket",
    `ln -s /lib/runtime.service ${WANTS}/runtime.service`,
    "ln -s ../init.d/engine /etc/rc2.d/S01engine",
    "code=0",
    "sh /usr/sbin/policy-rc.d || code=$?",
    "echo start: $code >/policy",
  ],
  "deb-systemd-helper": [
    '[ "$1" = disable ] && [ -n "$DPKG_MAINTSCRIPT_PACKAGE" ]',
    'find /etc/systemd/system -name "$2" -delete',
  ],
  "update-rc.d": ['[ "$2" = disable ]', 'mv "/etc/rc2.d/S01$1" "/etc/rc2.d/K01$1"'],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vast-pod-services-"));
  await chmod(folder, 0o755);
  for (const [name, lines] of Object.entries(FAKES)) {
    await writeFile(join(folder, name), ["#!/bin/sh", "set -e", ...lines, ""].join("\n"));
    await chmod(join(folder, name), 0o755);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the set-up disables every service that its installation has enabled, and none that was there before", async () => {
  const script = `set -e
    mkdir -p /checkout/node_modules ${WANTS} /etc/rc2.d
    touch /checkout/package-lock.json /checkout/node_modules/.package-lock.json
    ln -s /lib/old.service ${WANTS}/old.service
    ln -s ../init.d/old /etc/rc2.d/S01old
    echo "# the machine's own policy" >/usr/sbin/policy-rc.d
    enabled() { find /etc/systemd/system /etc/rc?.d -type l ! -name 'K*' | sort; }
    enabled >/before
    PATH=/fakes:$PATH sh /checkout/test/setup.sh engine
    enabled | diff /before - && cat /policy
    cat /usr/sbin/policy-rc.d
    ls ${WANTS} /etc/rc2.d | grep -E 'engine|runtime|old'`;
  const mounts = ["--volume", `${folder}:/fakes:ro`, "--volume", `${ROOT}/test/setup.sh:/checkout/test/setup.sh:ro`];
  const run = [
    "run",
    "--rm",
    "--network",
    "none",
    "--user",
    "0:0",
    ...mounts,
    "--entrypoint",
    "sh",
    NODE_IMAGE,
    "-c",
    script,
  ];
  const output = (await command("docker", run, { env: inject("engine") })).trim().split("\n");
  expect(output).toEqual([
    "Installing: engine (the services are neither started nor enabled)",
    "start: 101",
    "# the machine's own policy",
    "K01engine",
    "S01old",
    "old.service",
  ]);
});
