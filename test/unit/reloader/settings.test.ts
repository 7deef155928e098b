import { describe, expect, test } from "vitest";
import { SettingsError } from "../../../common/settings.ts";
import { readAuthHeader, reloaderSettings } from "../../../reloader/settings.ts";

const read = (env: Record<string, string>, ipv6 = true) =>
  reloaderSettings({ env, flags: {}, readFile: () => "" }, ipv6).settings;

describe("the reloader's settings", () => {
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
        keepaliveMs: 4_000,
        timeoutSeconds: 600,
      },
    });
  });

  test("trust no forwarded headers of clients unless NGINX_TRUST_FORWARDED is on", () => {
    expect(read({}).proxy.trustForwarded).toBe(false);
    expect(read({ NGINX_TRUST_FORWARDED: "on" }).proxy.trustForwarded).toBe(true);
    expect(() => read({ NGINX_TRUST_FORWARDED: "true" })).toThrow("NGINX_TRUST_FORWARDED");
  });

  test("name their other files so that `include *.conf` does not match them", () => {
    const settings = read({ NGINX_CONFIG_PATH: "/etc/nginx/conf.d/default.conf" });
    expect(settings.goodPath).not.toMatch(/\.conf$/);
    expect(settings.proxy.statePath).not.toMatch(/\.conf$/);
  });

  test("verify TLS against the system's authorities by default", () => {
    expect(read({}).proxy.tls).toEqual({ authorities: null, name: null });
    const on = { NGINX_UPSTREAM_TLS_VERIFY: "on" };
    expect(read(on).proxy.tls.authorities).toBe("/etc/ssl/certs/ca-certificates.crt");
    expect(read({ ...on, NGINX_UPSTREAM_TLS_CA: "/ca.pem" }).proxy.tls.authorities).toBe("/ca.pem");
  });

  test("refuse authorities while verification is off", () => {
    expect(() => read({ NGINX_UPSTREAM_TLS_CA: "/ca.pem" })).toThrow("NGINX_UPSTREAM_TLS_VERIFY is off");
  });

  test("read the secret header again, and never print its value", () => {
    const source = (text: string) => ({ env: { UPSTREAM_AUTH_HEADER_FILE: "/key" }, flags: {}, readFile: () => text });
    expect(readAuthHeader(source("X-Key: a b\n"))).toEqual({ name: "X-Key", value: "a b" });
    for (const text of ["hunter22", "Host: hunter22", "X-Key: hunter\n22", ""]) {
      expect(() => readAuthHeader(source(text))).toThrow(SettingsError);
      expect(() => readAuthHeader(source(text))).not.toThrow("hunter");
    }
    expect(readAuthHeader({ env: {}, flags: {}, readFile: () => "" })).toBeNull();
  });

  test("take IPv6 from the machine", () => {
    expect(read({}, false).proxy.ipv6).toBe(false);
  });

  test("are refused together when ports or paths conflict", () => {
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
      expect(error.problems[0]).toBe("NGINX_LISTEN_PORT and NGINX_STATUS_PORT are both 8081: use two different ports.");
      return;
    }
    throw new Error("expected a SettingsError");
  });

  test("are refused when the config would overwrite the user's template", () => {
    const path = "/x/default.conf";
    expect(() => read({ NGINX_CONFIG_PATH: path, NGINX_TEMPLATE_PATH: path })).toThrow(
      'NGINX_CONFIG_PATH and NGINX_TEMPLATE_PATH are both "/x/default.conf": the config would overwrite the template',
    );
  });
});
