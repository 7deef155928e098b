import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { ifAccessible, provisionerRuns } from "../../../../provisioner/commands/destroy.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { patientClock } from "../../../fakes/patient-clock.ts";

describe("the state file of destroy", () => {
  test.each(["EACCES", "EPERM", "EROFS", "ENOENT"])("is ignored when it is not accessible: %s", async (code) => {
    expect(await ifAccessible(Promise.reject(Object.assign(new Error(code), { code })))).toBeNull();
  });

  test("is used when it is accessible, and any other error is thrown", async () => {
    expect(await ifAccessible(Promise.resolve(7))).toBe(7);
    const full = Object.assign(new Error("disk full"), { code: "ENOSPC" });
    await expect(ifAccessible(Promise.reject(full))).rejects.toThrow("disk full");
  });
});

describe("a running provisioner", async () => {
  const server = createServer((_, response) => void response.end(JSON.stringify({ pod: "vast-pod-0" })));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  afterAll(() => void server.close());

  test("is recognised by the pod in its status", async () => {
    expect(await provisionerRuns(port, "vast-pod-0", patientClock)).toBe("yes");
    expect(await provisionerRuns(port, "vast-pod-1", patientClock)).toBe("no");
  });

  test("is unknown when the server on the port does not answer in time", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const clock = fakeClock();
    const asked = new Promise<void>((resolve) => silent.once("request", () => resolve()));
    const answer = provisionerRuns((silent.address() as AddressInfo).port, "vast-pod-0", clock);
    await asked;
    await clock.advance(60_000);
    expect(await answer).toBe("unknown");
    silent.close();
  });

  test("is absent when nothing listens on the port", async () => {
    expect(await provisionerRuns(1, "vast-pod-0", patientClock)).toBe("no");
  });
});
