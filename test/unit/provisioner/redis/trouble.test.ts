import { describe, expect, test } from "vitest";
import { explainTrouble, redisMessage, troubleOf } from "../../../../provisioner/redis/trouble.ts";

const withCode = (code: string) => Object.assign(new Error(`connect ${code} 10.0.0.5:6379`), { code });

describe("the trouble with Redis", () => {
  test.each([
    ["Command timed out", "timeout"],
    ["Connection is closed.", "unreachable"],
    ["Reached the max retries per request limit (which is 1). Refer to ...", "unreachable"],
    ["NOAUTH Authentication required.", "auth"],
    ["WRONGPASS invalid username-password pair or user is disabled.", "auth"],
    ["NOPERM this user has no permissions to run the 'scan' command", "auth"],
    ["ERR DB index is out of range", "database"],
    ["LOADING Redis is loading the dataset in memory", "busy"],
    ["MASTERDOWN Link with MASTER is down", "busy"],
    ["READONLY You can't write against a read only replica.", "read_only"],
    ["OOM command not allowed when used memory > 'maxmemory'.", "full"],
    [
      "MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.",
      "not_saving",
    ],
    [
      "ERR Error running script (call to f_5a): @user_script:4: @user_script: 4: -READONLY You can't write.",
      "read_only",
    ],
    ["OOM command not allowed when used memory > 'maxmemory'. script: 5a, on @user_script:5.", "full"],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "value"],
    ["ERR value is not an integer or out of range", "value"],
    ["ERR increment or decrement would overflow", "value"],
    ["ERR unknown command 'SCAN'", "other"],
    ["All sentinels are unreachable. Retrying from scratch after 200ms. Last error: connect ECONNREFUSED", "sentinel"],
    ["All sentinels are unreachable. Retrying from scratch after 200ms.", "sentinel"],
    ["All sentinels are unreachable. Retrying from scratch after 10ms. Last error: NOAUTH no", "sentinel_auth"],
    ["Socket timeout. Expecting data, but didn't receive any in 3000ms.", "unreachable"],
    ["None of startup nodes is available", "unreachable"],
    ["CLUSTERDOWN Hash slot not served", "busy"],
  ] as const)("is recognized by the client's message: %s", (message, trouble) => {
    expect(troubleOf(new Error(message))).toBe(trouble);
  });

  test.each(["ECONNREFUSED", "ENOTFOUND", "ETIMEDOUT", "EHOSTUNREACH"])("is a failed connection for %s", (code) => {
    expect(troubleOf(withCode(code))).toBe("unreachable");
  });

  test.each(["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "DEPTH_ZERO_SELF_SIGNED_CERT", "ERR_TLS_CERT_ALTNAME_INVALID"])(
    "is a certificate that is not accepted for %s",
    (code) => {
      expect(troubleOf(withCode(code))).toBe("certificate");
    },
  );

  test("of a discarded transaction is that of its first failed command", () => {
    const previousErrors = [new Error("OOM command not allowed when used memory > 'maxmemory'.")];
    const aborted = Object.assign(new Error("EXECABORT Transaction discarded because of previous errors."), {
      previousErrors,
    });
    expect(troubleOf(aborted)).toBe("full");
  });

  test("has the same message while it lasts, whether a call is refused or hangs", () => {
    expect(redisMessage(withCode("ECONNREFUSED"))).toBe(redisMessage(new Error("Command timed out")));
  });

  test("that is not recognized has the error's own message", () => {
    expect(redisMessage(new Error("ERR unknown command 'SCAN'"))).toBe("Redis: ERR unknown command 'SCAN'");
  });

  test("is explained with the settings that this Redis has", () => {
    const explained = (variable: "FLEET_REDIS_URL" | "BLACKLIST_REDIS_URL") => explainTrouble("auth", variable).remedy;
    expect(explained("FLEET_REDIS_URL")).toBe(
      "correct the user in FLEET_REDIS_URL and the password there or in FLEET_REDIS_PASSWORD",
    );
    expect(explained("BLACKLIST_REDIS_URL")).toContain("BLACKLIST_REDIS_PASSWORD");
    expect(explainTrouble("sentinel", "FLEET_REDIS_URL").remedy.match(/\bURL\b/)).toBeNull();
  });

  test("with no node of a Cluster has its cause in the last node's error", () => {
    const failed = (last: Error) => Object.assign(new Error("Failed to refresh slots cache."), { lastNodeError: last });
    expect(troubleOf(failed(new Error("NOAUTH Authentication required.")))).toBe("auth");
    expect(troubleOf(failed(withCode("ECONNREFUSED")))).toBe("unreachable");
  });
});
