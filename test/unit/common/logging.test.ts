import { AxiosError, AxiosHeaders } from "axios";
import { describe, expect, test } from "vitest";
import { createLogger, describeError, scrub } from "../../../common/logging.ts";

/** What a logger with these secrets writes. */
function logged(
  write: (log: ReturnType<typeof createLogger>) => void,
  secrets: () => string[] = () => [],
  debug = false,
) {
  const lines: string[] = [];
  write(
    createLogger({ app: "vast-provisioner", debug, secrets, destination: { write: (line) => void lines.push(line) } }),
  );
  return lines;
}

describe("a log line", () => {
  test("is one JSON object with time, level, program and message", () => {
    const [line] = logged((log) => log.info({ event: "start" }, "hello"));
    expect(JSON.parse(line ?? "")).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      app: "vast-provisioner",
      event: "start",
      msg: "hello",
    });
  });

  test("of level debug is written only with DEBUG", () => {
    expect(logged((log) => log.debug({ event: "state" }, "x"))).toEqual([]);
    expect(logged((log) => log.debug({ event: "state" }, "x"), undefined, true)).toHaveLength(1);
  });
});

describe("no line contains a secret", () => {
  test.each([
    ["plain", "sekrit-0123"],
    ["with quotes and a backslash", 'se"kr\\it'],
    ["with a line break", "sek\nrit"],
    ["with characters that a URL escapes", "p@ss/w?rd"],
  ])("%s, in message, field, error or URL", (_, secret) => {
    const lines = logged(
      (log) => {
        log.info({ event: "state" }, `message ${secret}`);
        log.info({ event: "state", field: { deep: [secret] } }, "x");
        log.info({ event: "state", url: `http://u:${encodeURIComponent(secret)}@host/` }, "x");
        log.warn({ event: "state", err: new Error(`failed with ${secret}`) }, "x");
      },
      () => [secret],
    );
    const all = lines.join("");
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
      expect(all).not.toContain(form);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    expect(lines).toHaveLength(4);
  });

  test("also after it was rotated", () => {
    const secrets = ["first-key"];
    const lines = logged(
      (log) => {
        secrets.push("second-key");
        log.info({ event: "state" }, "first-key second-key");
      },
      () => secrets,
    );
    expect(JSON.parse(lines[0] ?? "").msg).toBe("[secret] [secret]");
  });

  test("also when one secret is the beginning of another", () => {
    expect(scrub("key abcd1234", ["abcd", "abcd1234"])).toBe("key [secret]");
  });

  test("but a very short text stays, so that the log is readable", () => {
    expect(scrub("a cat", ["a", "cat", ""])).toBe("a cat");
  });
});

describe("an error in the log", () => {
  const axiosError = () => {
    const headers = new AxiosHeaders({ Authorization: "Bearer sekrit-0123" });
    const config = { headers, url: "/x", data: "sekrit-0123" };
    return new AxiosError(
      "Request failed with status code 500",
      "ERR_BAD_RESPONSE",
      config,
      { sekrit: "sekrit-0123" },
      {
        data: "sekrit-0123",
        status: 500,
        statusText: "",
        headers: {},
        config,
      },
    );
  };

  test("shows the type and message of an HTTP client's error, but nothing of the request", () => {
    const lines = logged((log) => log.error({ event: "state", err: axiosError() }, "failed"));
    expect(lines.join("")).not.toContain("sekrit");
    expect(JSON.parse(lines[0] ?? "").err).toEqual({
      type: "AxiosError",
      message: "Request failed with status code 500",
      code: "ERR_BAD_RESPONSE",
      stack: expect.any(String),
    });
  });

  test("shows no cause and no other property", () => {
    const error = Object.assign(new Error("outer", { cause: new Error("sekrit-0123") }), { token: "sekrit-0123" });
    expect(JSON.stringify(describeError(error))).not.toContain("sekrit");
  });

  test("may be any thrown value", () => {
    expect(describeError("text")).toEqual({ message: "text" });
    expect(describeError(undefined)).toEqual({ message: "undefined" });
  });
});
