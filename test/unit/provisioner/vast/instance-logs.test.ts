import { expect, test } from "vitest";
import { type FetchText, fetchInstanceLogs, requestInstanceLogs } from "../../../../provisioner/vast/instance-logs.ts";
import type { ApiCall } from "../../../../provisioner/vast/transport.ts";
import { steppingClock } from "../../../fakes/stepping-clock.ts";

const API = "https://console.vast.ai";
const URL_OF_LOG = "https://storage.example/x.log?signature=s3kr1t";

test("a log is requested in the form that the API takes", async () => {
  const calls: ApiCall[] = [];
  const send = async (call: ApiCall) => {
    calls.push(call);
    return { success: true, result_url: URL_OF_LOG };
  };
  expect(await requestInstanceLogs(send, 7, { tail: 200, of: "container", filter: null })).toBe(URL_OF_LOG);
  await requestInstanceLogs(send, 7, { tail: 5, of: "daemon", filter: "x" });
  expect(calls.map(({ method, path, body }) => [method, path, body])).toEqual([
    ["PUT", "/api/v0/instances/request_logs/7/", { tail: "200" }],
    ["PUT", "/api/v0/instances/request_logs/7/", { tail: "5", filter: "x", daemon_logs: "true" }],
  ]);
  const without = requestInstanceLogs(async () => ({ success: true }), 7, { tail: 1, of: "container", filter: null });
  await expect(without).rejects.toThrow("no `result_url`");
});

const answering =
  (...statuses: number[]): FetchText =>
  async () => ({ status: statuses.shift() ?? 403, text: "hello" });

test("a log is waited for while the storage does not have it", async () => {
  expect(await fetchInstanceLogs(URL_OF_LOG, API, answering(403, 404, 200), steppingClock())).toBe("hello");
});

test.each([
  [answering(), "was not there within 90 s"],
  [answering(500), "HTTP 500"],
  [
    async () => {
      throw Object.assign(new Error(`connect to ${URL_OF_LOG}`), { code: "ECONNREFUSED" });
    },
    "ECONNREFUSED",
  ],
])("a log that does not come is an error without its URL", async (fetch, message) => {
  const error = await fetchInstanceLogs(URL_OF_LOG, API, fetch, steppingClock()).catch((reason: unknown) => reason);
  expect(String(error)).toContain(message);
  expect(String(error)).not.toContain("storage.example");
});

test.each(["http://127.0.0.1:2019/config", "file:///etc/passwd", "no URL"])(
  "nothing is fetched from %s",
  async (url) => {
    await expect(fetchInstanceLogs(url, API, answering(200), steppingClock())).rejects.toThrow("no https URL");
  },
);

test("the API itself is a place for a log, as with an emulator", async () => {
  const url = "http://127.0.0.1:8090/instance_logs/x.log";
  expect(await fetchInstanceLogs(url, "http://127.0.0.1:8090", answering(200), steppingClock())).toBe("hello");
});
