import { describe, expect, test } from "vitest";
import { SettingsError } from "../../../common/settings.ts";
import { namesFor } from "../../../common/variables.ts";
import { RELOADER_VARIABLES, reloaderSettings } from "../../../reloader/settings.ts";

const read = (env: Record<string, string>, ipv6 = true) =>
  reloaderSettings({ env, flags: {}, readFile: () => "" }, ipv6).settings;

describe("the reloader's settings", () => {
  test("are exactly those that the table has for the reloader", () => {
    expect([...RELOADER_VARIABLES].toSorted()).toEqual(namesFor("reloader").toSorted());
  });

  test("need no variable at all", () => {
    expect(read({})).toMatchObject({
      configPath: "/etc/nginx/http.d/default.conf",
      goodPath: "/etc/nginx/http.d/default.conf.good",
      upstreamPath: "/var/run/vast-pod/upstream.json",
      statusPort: 8081,
      proxy: {
        listenPort: 3000,
        statusPort: 8082,
        maxBodySize: "10M",
        accessLog: "/dev/stdout",
        keepaliveSeconds: 4,
        timeoutSeconds: 600,
      },
    });
  });

  test("put their other files where `include *.conf` does not find them", () => {
    const settings = read({ NGINX_CONFIG_PATH: "/etc/nginx/conf.d/default.conf" });
    expect(settings.goodPath).not.toMatch(/\.conf$/);
    expect(settings.proxy.statePath).not.toMatch(/\.conf$/);
  });

  test("take IPv6 from the machine", () => {
    expect(read({}, false).proxy.ipv6).toBe(false);
  });

  test("are refused together when ports or paths clash", () => {
    const bad = {
      NGINX_LISTEN_PORT: "8081",
      NGINX_STATUS_PORT: "8081",
      NGINX_CONFIG_PATH: "/x/upstream.json",
      UPSTREAM_PATH: "/x/upstream.json",
    };
    try {
      read(bad);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      expect(error.problems).toHaveLength(4);
      expect(error.problems[0]).toBe(
        "NGINX_LISTEN_PORT and NGINX_STATUS_PORT are both 8081: give each a port of its own.",
      );
      return;
    }
    throw new Error("expected a SettingsError");
  });
});
