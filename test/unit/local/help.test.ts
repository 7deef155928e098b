import { expect, test } from "vitest";
import { helpText } from "../../local/help.ts";

const help = helpText({
  proxyUrl: "http://127.0.0.1:3000",
  emulatorUrl: "http://127.0.0.1:8090",
  provisionerPort: 20001,
  reloaderPort: 20002,
  pids: { nginx: 11, reloader: 12, provisioner: 13 },
});

test.each([
  "curl 'http://127.0.0.1:3000/any/path?q=1'",
  "curl -X POST http://127.0.0.1:8090/_emulator/instances/any/kill",
  "curl http://127.0.0.1:20001/status",
  "kill -9 11",
  "Ctrl-C",
])("the help shows: %s", (command) => {
  expect(help).toContain(command);
});

test("the body of each request is JSON that a shell passes on unchanged", () => {
  const bodies = [...help.matchAll(/-d '([^']*)'/g)].map((match) => match[1] ?? "");
  expect(bodies.length).toBeGreaterThan(0);
  for (const body of bodies) expect(() => JSON.parse(body)).not.toThrow();
});
