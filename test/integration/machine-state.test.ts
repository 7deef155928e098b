// The script that compares the machine before and after the container tests, with fake tools that report what an engine leaves.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSandbox, ROOT, type Sandbox } from "../sandbox/sandbox.ts";

const MARK = "vast-pod-containers.test";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await openSandbox();
  mkdirSync(join(sandbox.folder, "bin"));
  for (const tool of [
    "ip",
    "iptables-save",
    "ip6tables-save",
    "iptables-legacy-save",
    "ip6tables-legacy-save",
    "nft",
  ]) {
    fake(tool, "");
  }
});
afterEach(() => sandbox.close());

/** A tool that prints the text, whatever it is asked. */
function fake(tool: string, text: string): void {
  const path = join(sandbox.folder, "bin", tool);
  writeFileSync(path, `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`);
  chmodSync(path, 0o755);
}

async function state(): Promise<readonly string[]> {
  const child = await sandbox.start({
    name: "machine-state.sh",
    program: "sh",
    args: [join(ROOT, "test/containers/machine-state.sh"), MARK],
    env: { PATH: `${join(sandbox.folder, "bin")}:${process.env.PATH}` },
  });
  expect(await child.exited).toEqual({ code: 0, signal: null });
  return child.lines;
}

const newLines = async (change: () => unknown) => {
  const before = await state();
  await change();
  return (await state()).filter((line) => !before.includes(line));
};

test.each([
  ["ip", "4: docker0: <BROADCAST> mtu 1500", "link docker0"],
  ["ip", "9: br-0123456789ab: <BROADCAST> mtu 1500", "link br-0123456789ab"],
  ["iptables-save", "*filter\n:FORWARD DROP [12:3456]", "iptables-save :FORWARD DROP"],
  ["iptables-legacy-save", "-A FORWARD -j DOCKER-USER", "iptables-legacy-save -A FORWARD -j DOCKER-USER"],
  ["ip6tables-save", ":DOCKER - [0:0]", "ip6tables-save :DOCKER -"],
  ["nft", "chain DOCKER {", "nft chain DOCKER {"],
  [
    "nft",
    "type filter hook forward priority filter; policy drop;",
    "nft type filter hook forward priority filter; policy drop;",
  ],
])("a change that %s reports (%s) is in the state", async (tool, output, expected) => {
  expect(await newLines(() => fake(tool, output))).toContain(expected);
});

test("what others change meanwhile is not in the state", async () => {
  fake("iptables-save", "# Generated at ten\n:FORWARD ACCEPT [1:60]\n-A INPUT -s 192.0.2.1 -j REJECT");
  fake("nft", "chain DOCKER {\ncounter packets 1 bytes 60 jump DOCKER-USER");
  fake("ip", "9: veth1a2b@if8: <BROADCAST> mtu 1500\n10: wg0: <POINTOPOINT> mtu 1420");
  const changed = await newLines(() => {
    fake("iptables-save", "# Generated at eleven\n:FORWARD ACCEPT [2:120]\n-A INPUT -s 192.0.2.2 -j REJECT");
    fake("nft", "chain DOCKER {\ncounter packets 2 bytes 120 jump DOCKER-USER");
    fake("ip", "11: veth3c4d@if8: <BROADCAST> mtu 1500");
  });
  expect(changed).toEqual([]);
});

test("whether the machine forwards packets is in the state", async () => {
  expect((await state()).filter((line) => line.startsWith("sysctl net/ipv4/ip_forward "))).toHaveLength(1);
});

test("a process that still uses the engine's folder is in the state", async () => {
  const args = ["-c", "sleep 600", join("/tmp", MARK, "data")];
  const left = await newLines(() => sandbox.start({ name: "left", program: "sh", args }));
  expect(left).toEqual([expect.stringMatching(new RegExp(`^process \\d+ .*${MARK}/data`))]);
});
