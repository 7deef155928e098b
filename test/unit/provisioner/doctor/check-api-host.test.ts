import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../../common/clock.ts";
import { checkApiHost } from "../../../../provisioner/doctor/check-api-host.ts";

const signal = new AbortController().signal;

describe("the host of the API", async () => {
  let dateOf = (): string | null => null;
  const server = createServer((_, response) => {
    response.sendDate = false;
    const date = dateOf();
    if (date !== null) response.setHeader("date", date);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  afterAll(() => void server.close());
  const clockLine = async (offsetMs: number) => {
    dateOf = () => new Date(Date.now() + offsetMs).toUTCString();
    const [api, clock] = await checkApiHost(`http://127.0.0.1:${port}`, systemClock, signal);
    expect(api?.verdict).toBe("ok");
    return `${clock?.verdict} ${clock?.message}`;
  };

  test("has the time of this machine, or another one", async () => {
    expect(await clockLine(0)).toBe("ok as the API's");
    expect(await clockLine(600_000)).toMatch(/^warn (599|600) s behind the API's$/);
    expect(await clockLine(-600_000)).toMatch(/^warn (599|600) s ahead of the API's$/);
  });

  test("sends no time", async () => {
    dateOf = () => null;
    const [, clock] = await checkApiHost(`http://127.0.0.1:${port}`, systemClock, signal);
    expect(clock?.verdict).toBe("skip");
  });

  test("cannot be reached", async () => {
    const [api] = await checkApiHost("http://127.0.0.1:1", systemClock, signal);
    expect(api).toMatchObject({ verdict: "fail", message: "http://127.0.0.1:1 cannot be reached (ECONNREFUSED)" });
  });
});
