import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatUpstreamFile, parseUpstreamFile } from "../../../../common/upstream-file.ts";
import { readConfig, renderConfig } from "../../../../reloader/render/render.ts";
import { NO_RENDER_INPUTS, type ProxySettings } from "../../../../reloader/render/view.ts";
import { all, block, directives, skeleton } from "../../../fakes/nginx-directives.ts";
import { configFor, PROXY, server, upstreamFile } from "../samples.ts";

const parsed = (to = true, settings: Partial<ProxySettings> = {}) =>
  directives(configFor(to ? server() : null, { ...PROXY, ...settings }).text);
/** The arguments of the only directive of that name under `/`. */
const proxied = (name: string, settings: Partial<ProxySettings> = {}) =>
  all(block(block(parsed(true, settings), "server"), "location", "/"), name).map((words) => words.slice(1).join(" "));

describe("the proxy", () => {
  test("listens on IPv4 and IPv6", () => {
    expect(all(parsed(), "listen").slice(0, 2)).toEqual([
      ["listen", "3000", "default_server"],
      ["listen", "[::]:3000", "default_server"],
    ]);
  });

  test("listens on IPv4 only where the machine has no IPv6", () => {
    expect(all(parsed(true, { ipv6: false }), "listen").map((words) => words[1])).toEqual(["3000", "127.0.0.1:8082"]);
  });

  test("passes the request URI on unchanged", () => {
    expect(proxied("proxy_pass")).toEqual(["http://vast_pod_instance", "http://vast_pod_instance_once"]);
  });

  test("keeps HTTP/1.1 connections to the instance for less time than the instance does", () => {
    const upstream = block(parsed(), "upstream", "vast_pod_instance");
    expect(all(upstream, "server")).toEqual([["server", "203.0.113.9:41234", "max_fails=0"]]);
    expect(all(upstream, "keepalive_timeout")).toEqual([["keepalive_timeout", "4s"]]);
    expect(proxied("proxy_http_version")).toEqual(["1.1"]);
  });

  test("streams uploads, and repeats no request that may change something", () => {
    expect(proxied("proxy_request_buffering")).toEqual(["off"]);
    // Without `non_idempotent` and `timeout`.
    expect(proxied("proxy_next_upstream")).toEqual(["error"]);
    const once = block(parsed(), "upstream", "vast_pod_instance_once");
    expect(all(once, "keepalive_requests")).toEqual([["keepalive_requests", "1"]]);
  });

  test("buffers answers unless the setting is off", () => {
    expect(proxied("proxy_buffering")).toEqual(["on"]);
    expect(proxied("proxy_buffering", { buffering: "off" })).toEqual(["off"]);
  });

  test("waits for the instance as long as the setting says, in both directions", () => {
    expect(proxied("proxy_read_timeout", { timeoutSeconds: 77 })).toEqual(["77s"]);
    expect(proxied("proxy_send_timeout", { timeoutSeconds: 77 })).toEqual(["77s"]);
  });

  test("keeps the forwarded headers of clients only behind an ingress", () => {
    const trusting = proxied("proxy_set_header", { trustForwarded: true });
    expect(trusting).toContain("X-Forwarded-Proto $vast_pod_proto");
    expect(trusting).not.toContain("Forwarded ");
    expect(trusting).toContain("Proxy ");
  });

  test("limits what a slow reader's answer takes on the disk", () => {
    expect(proxied("proxy_max_temp_file_size")).toEqual(["64m"]);
  });

  test("limits the size of requests", () => {
    expect(proxied("client_max_body_size", { maxBodySize: "64m" })).toEqual(["64m"]);
  });

  test("sends the client's address, host and request id to the instance", () => {
    expect(proxied("proxy_set_header")).toEqual([
      "Host $vast_pod_host",
      "Connection $vast_pod_connection",
      "Upgrade $vast_pod_upgrade",
      "HTTP2-Settings ",
      "X-Real-IP $remote_addr",
      "X-Forwarded-For $proxy_add_x_forwarded_for",
      "X-Forwarded-Host $vast_pod_forwarded_host",
      "X-Forwarded-Proto $scheme",
      ...["Port", "Prefix", "Scheme", "Server", "Ssl"].map((name) => `X-Forwarded-${name} `),
      "Forwarded ",
      "Proxy ",
      "X-Request-ID $vast_pod_request_id",
    ]);
  });

  test("uses TLS for an https server, with its name in the handshake and without verification", () => {
    const target = { server: { ...server(), scheme: "https" as const, host: "gpu.example" }, address: "203.0.113.9" };
    const location = block(block(directives(renderConfig(target, PROXY).text), "server"), "location", "/");
    expect(all(location, "proxy_pass").map((words) => words[1])).toEqual([
      "https://vast_pod_instance",
      "https://vast_pod_instance_once",
    ]);
    expect(all(location, "proxy_ssl_server_name")).toEqual([["proxy_ssl_server_name", "on"]]);
    expect(all(location, "proxy_ssl_name")).toEqual([["proxy_ssl_name", "gpu.example"]]);
    expect(all(location, "proxy_ssl_verify")).toEqual([["proxy_ssl_verify", "off"]]);
  });

  const overTls = (host: string, tls: Partial<ProxySettings["tls"]>) => {
    const target = { server: { ...server(443, host), scheme: "https" as const }, address: "203.0.113.9" };
    const { text } = renderConfig(target, { ...PROXY, tls: { authorities: null, name: null, ...tls } });
    const location = block(block(directives(text), "server"), "location", "/");
    return (name: string) => all(location, name).map((words) => words.slice(1).join(" "))[0];
  };

  test("verifies the certificate against the given authorities, by the host's name or another one", () => {
    const own = overTls("gpu.example", { authorities: "/ca.pem" });
    expect([own("proxy_ssl_verify"), own("proxy_ssl_trusted_certificate")]).toEqual(["on", "/ca.pem"]);
    expect(own("proxy_ssl_name")).toBe("gpu.example");
    expect(overTls("203.0.113.9", { authorities: "/ca.pem", name: "app.example" })("proxy_ssl_name")).toBe(
      "app.example",
    );
  });

  test("refuses to verify an address, because nginx compares names only", () => {
    expect(() => overTls("203.0.113.9", { authorities: "/ca.pem" })).toThrow("set NGINX_UPSTREAM_TLS_NAME to a name");
    expect(overTls("203.0.113.9", {})("proxy_ssl_verify")).toBe("off");
  });

  test("sends the Host of the settings to the instance only", () => {
    expect(proxied("proxy_set_header", { upstreamHost: "app.example:8443" })).toContain("Host app.example:8443");
    expect(proxied("proxy_set_header", { upstreamHost: "app.example:8443" })).toContain(
      "X-Forwarded-Host $vast_pod_forwarded_host",
    );
  });

  test.each([
    [400, "400ms"],
    [4_000, "4s"],
    [1_500, "1500ms"],
  ])("keeps idle connections to the instance for %d ms: %s", (keepaliveMs, spelled) => {
    const upstream = block(parsed(true, { keepaliveMs }), "upstream", "vast_pod_instance");
    expect(all(upstream, "keepalive_timeout")).toEqual([["keepalive_timeout", spelled]]);
  });

  test.each([
    ["1.30.0", [["keepalive_min_timeout", "2s"]]],
    ["1.22.1", []],
    [null, []],
  ])("keeps clients' idle connections during a reload where nginx can: %s", (nginxVersion, expected) => {
    for (const target of [null, { server: server(), address: "203.0.113.9" }]) {
      const { text } = renderConfig(target, PROXY, { ...NO_RENDER_INPUTS, nginxVersion });
      expect(all(directives(text), "keepalive_min_timeout")).toEqual(expected);
    }
  });

  test("is not controlled by headers of the instance", () => {
    expect(proxied("proxy_ignore_headers")[0]?.split(" ")).toContain("X-Accel-Redirect");
  });

  test("has no TLS directives for an http server", () => {
    expect(configFor(server()).text).not.toContain("proxy_ssl");
  });

  test("has the address of a name, never the name", () => {
    const { text } = renderConfig({ server: server(80, "gpu.example"), address: "203.0.113.9" }, PROXY);
    expect(all(directives(text), "server").filter((words) => words.length > 1)).toEqual([
      ["server", "203.0.113.9:80", "max_fails=0"],
      ["server", "203.0.113.9:80", "max_fails=0"],
    ]);
    expect(text.replace(/^#.*$/gm, "")).not.toContain("gpu.example");
  });
});

describe("the probes of the proxy", () => {
  test.each([
    [true, "200"],
    [false, "503"],
  ])("answer ready only when a server is configured: %s", (to, status) => {
    const location = block(block(parsed(to), "server"), "location", "=", "/-/ready");
    expect(all(location, "return")[0]?.[1]).toBe(status);
    expect(all(location, "access_log")).toEqual([["access_log", "off"]]);
  });

  test("answer not ready where the upstream file says so, and a restarted reloader knows it", () => {
    const config = renderConfig({ server: server(), address: "203.0.113.9", ready: false }, PROXY);
    const main = block(directives(config.text), "server");
    expect(all(block(main, "location", "=", "/-/ready"), "return")[0]?.[1]).toBe("503");
    expect(all(block(main, "location", "/"), "proxy_pass")).not.toEqual([]);
    expect(readConfig(config.text)).toEqual(config);
    expect(config).toMatchObject({ server: server(), ready: false });
    expect(readConfig(configFor(server()).text)).toMatchObject({ ready: true });
  });

  test.each([true, false])("answer liveness with 200, with a server or without: %s", (to) => {
    const location = block(block(parsed(to), "server"), "location", "=", "/-/live");
    expect(all(location, "return")[0]?.[1]).toBe("200");
    expect(all(location, "access_log")).toEqual([["access_log", "off"]]);
  });
});

describe("without a server", () => {
  test("every request is answered 503 with the state file as its body", () => {
    const main = block(parsed(false), "server");
    expect(all(block(main, "location", "/"), "return")).toEqual([["return", "503"]]);
    const page = block(main, "location", "=", "/-/state");
    expect(all(page, "root")).toEqual([["root", "/conf"]]);
    expect(all(page, "try_files")).toEqual([["try_files", "/default.conf.state.json", "=503"]]);
    expect(all(page, "add_header")[0]).toEqual(["add_header", "Retry-After", "10", "always"]);
  });

  test("there is no upstream, since nginx refuses an empty one", () => {
    expect(all(parsed(false), "upstream")).toEqual([]);
    expect(all(parsed(false), "proxy_pass")).toEqual([]);
  });

  test("a request of any size is answered", () => {
    expect(all(parsed(false), "client_max_body_size")).toEqual([["client_max_body_size", "0"]]);
  });
});

describe("the status port", () => {
  test("is on loopback and answers the hash, nginx' version and its counters", () => {
    const status = directives(configFor(server()).text).filter((d) => d.words[0] === "server")[1];
    const list = status?.block ?? [];
    expect(all(list, "listen")).toEqual([["listen", "127.0.0.1:8082"]]);
    expect(all(block(list, "location", "=", "/hash"), "return")[0]?.[2]).toContain(configFor(server()).hash);
    expect(all(block(list, "location", "=", "/version"), "return")[0]?.[2]).toContain("$nginx_version");
    expect(all(block(list, "location", "=", "/stub_status"), "stub_status")).toHaveLength(1);
  });
});

describe("the access log", () => {
  test("is JSON with exactly the documented fields in their order", () => {
    const [format] = all(parsed(), "log_format");
    const line = format?.slice(3).join("").replace("$vast_pod_log{", "{").replace(/\$\w+/g, "0") ?? "";
    expect(Object.keys(JSON.parse(line))).toEqual(
      (
        "address http_x_forwarded_for host upstream_addr source time resp_body_size request_length method uri " +
        "status user_agent resp_time upstream_cache_status"
      ).split(" "),
    );
    expect(format?.slice(1, 3)).toEqual(["vast_pod", "escape=json"]);
  });

  test("is written to the path of the setting, and is off for off", () => {
    const own = (settings: Partial<ProxySettings>) =>
      block(parsed(true, settings), "server").filter((d) => d.words[0] === "access_log");
    const logged = ["access_log", "/dev/stdout", "vast_pod", "buffer=4k", "flush=1s"];
    expect(own({ accessLog: "/dev/stdout" })[0]?.words).toEqual(logged);
    expect(own({ accessLog: "off" })[0]?.words).toEqual(["access_log", "off"]);
  });
});

describe("the bytes", () => {
  test("depend only on the server and the settings", () => {
    expect(configFor(server()).text).toBe(configFor(server()).text);
    expect(configFor(server()).hash).not.toBe(configFor(server(2)).hash);
    expect(configFor(server()).hash).not.toBe(configFor(server(), { ...PROXY, timeoutSeconds: 1 }).hash);
  });

  test("are read back with their server and hash", () => {
    expect(readConfig(configFor(server()).text)).toEqual(configFor(server()));
    expect(readConfig(configFor(null).text)).toEqual(configFor(null));
  });

  test.each([
    ["edited by hand", (text: string) => text.replace("203.0.113.9", "203.0.113.66")],
    ["cut", (text: string) => text.slice(0, -20)],
    ["foreign", () => "server { listen 80; }"],
    ["empty", () => ""],
  ])("are not read as a config of ours when they are %s", (_, change) => {
    expect(readConfig(change(configFor(server()).text))).toBeNull();
  });

  test("define only names with the prefix", () => {
    const names = [...all(parsed(), "upstream"), ...all(parsed(), "log_format"), ...all(parsed(), "set")];
    expect(names.length).toBeGreaterThan(3);
    for (const [, name] of names) expect(name).toMatch(/^\$?vast_pod/);
  });
});

describe("a hostile upstream file", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."a1.:-;{}\"'\\$#\n\r\t /%[]") }),
    fc.constantFrom(
      "a; }",
      "$host",
      "h;\nreturn 200",
      "1.1.1.1; }",
      "::1]:80; } #",
      "a\\",
      'a"',
      "{{hash}}",
      "{{{x}}}",
    ),
    fc.domain(),
    fc.ipV4(),
    fc.ipV6(),
  );
  const plain = (scheme: string) => skeleton(directives(renderOf(scheme === "https" ? "https" : "http")));
  const renderOf = (scheme: "http" | "https") =>
    renderConfig({ server: { ...server(), scheme }, address: "203.0.113.9" }, PROXY).text;

  test("never gets a directive into the config", () => {
    let rendered = 0;
    fc.assert(
      fc.property(
        hostile,
        hostile,
        fc.oneof(fc.constantFrom("http", "https"), hostile),
        fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.integer(), fc.double(), hostile),
        (host, message, scheme, port) => {
          const file = { ...upstreamFile(), server: { scheme, host, port }, message, reason: message, pod: message };
          const read = parseUpstreamFile(JSON.stringify(file));
          if (!read.ok || read.file.server === null) return;
          const { text } = renderConfig({ server: read.file.server, address: "203.0.113.9" }, PROXY);
          rendered += 1;
          expect(skeleton(directives(text))).toEqual(plain(read.file.server.scheme));
          expect(text).not.toContain("{{");
        },
      ),
      { numRuns: 3_000 },
    );
    expect(rendered).toBeGreaterThan(50);
  });

  test("is refused by the renderer too, which checks every address and name again", () => {
    fc.assert(
      fc.property(hostile, hostile, (host, address) => {
        let text: string;
        try {
          text = renderConfig({ server: { scheme: "https", host, port: 80 }, address }, PROXY).text;
        } catch {
          return; // refused, which is fine
        }
        expect(skeleton(directives(text))).toEqual(plain("https"));
      }),
      { numRuns: 2_000 },
    );
  });

  test("does not change a byte of the config with its message", () => {
    const a = parseUpstreamFile(formatUpstreamFile(upstreamFile({ message: "; } $host {" })));
    if (!a.ok) throw new Error(a.problem);
    expect(configFor(a.file.server).text).toBe(configFor(server()).text);
  });
});
