import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { fetchConnections, parseConnections } from "../../../../reloader/nginx/connections.ts";
import { patientClock } from "../../../fakes/patient-clock.ts";

const PAGE = `Active connections: 15 
server accepts handled requests
 101 101 250 
Reading: 1 Writing: 3 Waiting: 11 
`;

test("the question itself does not count as a busy connection", () => {
  expect(parseConnections(PAGE)).toEqual({ busy: 3, idle: 11 });
  expect(parseConnections("Reading: 0 Writing: 0 Waiting: 0")).toEqual({ busy: 0, idle: 0 });
});

test.each(["", "<html>", "Reading: x Writing: 1 Waiting: 0"])("%j is no such page", (page) => {
  expect(parseConnections(page)).toBeNull();
});

describe("asked over HTTP", () => {
  const ask = async (status: number, page: string) => {
    const server = createServer((_, response) => response.writeHead(status).end(page));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    try {
      return await fetchConnections(port, patientClock);
    } finally {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  };

  test("nginx answers with its page", async () => expect(await ask(200, PAGE)).toEqual({ busy: 3, idle: 11 }));

  test("another answer or none leaves the number unknown", async () => {
    expect(await ask(404, PAGE)).toBeNull();
    expect(await fetchConnections(1, patientClock)).toBeNull();
  });
});
