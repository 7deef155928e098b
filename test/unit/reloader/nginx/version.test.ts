import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { fetchVersion } from "../../../../reloader/nginx/hash-probe.ts";
import type { Master } from "../../../../reloader/nginx/master.ts";
import { KnownVersion, keepsIdleClients } from "../../../../reloader/nginx/version.ts";
import { patientClock } from "../../../fakes/patient-clock.ts";

test.each([
  ["1.22.1", false],
  ["1.27.3", false],
  ["1.27.4", true],
  ["1.28.0", true],
  ["1.30.0", true],
  ["2.0.0", true],
  ["0.99.9", false],
  ["openresty", false],
  [null, false],
])("version %s keeps idle clients during a reload: %s", (version, keeps) => {
  expect(keepsIdleClients(version)).toBe(keeps);
});

describe("the version of the running nginx", () => {
  const setUp = () => {
    const nginx = { master: { found: "one", pid: 7 } as Master, answer: null as string | null, fetches: 0 };
    const known = new KnownVersion({
      findMaster: async () => nginx.master,
      fetchVersion: async () => {
        nginx.fetches += 1;
        return nginx.answer;
      },
    });
    return { nginx, current: () => known.current() };
  };

  test("is fetched until nginx answers it, and then no more", async () => {
    const { nginx, current } = setUp();
    expect(await current()).toBeNull();
    nginx.answer = "1.30.0";
    expect(await current()).toBe("1.30.0");
    nginx.answer = null; // too busy to answer, which is no reason for another config
    expect(await current()).toBe("1.30.0");
    expect(nginx.fetches).toBe(2);
  });

  test("is forgotten when nginx is down, because the next one may be older", async () => {
    const { nginx, current } = setUp();
    nginx.answer = "1.30.0";
    await current();
    nginx.master = { found: "none", why: "" };
    expect(await current()).toBeNull();
    nginx.master = { found: "one", pid: 8 };
    nginx.answer = "1.22.1";
    expect(await current()).toBe("1.22.1");
  });

  test("is fetched again for another master, also when the exit of the first one was not observed", async () => {
    const { nginx, current } = setUp();
    nginx.answer = "1.30.0";
    await current();
    nginx.master = { found: "one", pid: 8 };
    nginx.answer = null;
    expect(await current()).toBeNull();
  });

  test("stays known while several masters run", async () => {
    const { nginx, current } = setUp();
    nginx.answer = "1.30.0";
    await current();
    nginx.master = { found: "several", why: "" };
    expect(await current()).toBe("1.30.0");
  });
});

describe("the status port's answer", () => {
  /** The version from a server that sends these bytes and closes; null: nothing listens. */
  const fetches = async (bytes: string | null) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(bytes ?? ""));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const close = () => new Promise((resolve) => server.close(resolve));
    if (bytes === null) await close();
    const version = await fetchVersion(port, patientClock);
    if (bytes !== null) await close();
    return version;
  };

  test.each([
    ["HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n1.30.6\n", "1.30.6"],
    ["HTTP/1.1 404 Not Found\r\n\r\n1.30.6\n", null],
    ["HTTP/1.1 200 OK\r\n\r\n<html>1.30.6</html>", null],
    ["SSH-2.0-OpenSSH_9.2\r\n", null],
    ["", null],
    [null, null],
  ])("%j is the version %s", async (bytes, version) => {
    expect(await fetches(bytes)).toBe(version);
  });
});
