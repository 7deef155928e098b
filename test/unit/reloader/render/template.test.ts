import { describe, expect, test } from "vitest";
import { DEFAULT_CONF } from "../../../../reloader/render/default-conf.ts";
import { RenderError } from "../../../../reloader/render/quote.ts";
import { readConfig, renderConfig } from "../../../../reloader/render/render.ts";
import { checkTemplate, VIEW_NAMES } from "../../../../reloader/render/template.ts";
import { NO_RENDER_INPUTS, type ProxySettings, type RenderInputs, viewOf } from "../../../../reloader/render/view.ts";
import { configFor, PROXY, server } from "../samples.ts";

const TARGET = { server: { ...server(), scheme: "https" as const }, address: "203.0.113.9" };
/** A view in which no section is empty. */
const FULL: [ProxySettings, RenderInputs] = [
  { ...PROXY, tls: { authorities: "/ca.pem", name: "app.example" } },
  { auth: { name: "X-Key", path: "/conf/default.conf.auth.0" }, nginxVersion: "1.30.0", template: null },
];
const render = (template: string, found: Partial<RenderInputs> = {}, target: typeof TARGET | null = TARGET) =>
  renderConfig(target, FULL[0], { ...NO_RENDER_INPUTS, ...found, template });
function reasonFor(template: string, found: Partial<RenderInputs> = {}): string {
  try {
    render(template, found);
  } catch (error) {
    if (error instanceof RenderError) return error.message;
    throw error;
  }
  throw new Error("the template was accepted");
}

test("the names that a template may use are those of the view", () => {
  const names = (value: unknown): string[] =>
    typeof value === "object" && value !== null ? Object.entries(value).flatMap(([k, v]) => [k, ...names(v)]) : [];
  expect([...VIEW_NAMES].toSorted()).toEqual([...new Set(["hash", ...names(viewOf(TARGET, ...FULL))])].toSorted());
});

describe("a template of the user's own", () => {
  test("that is the built-in one renders the same bytes", () => {
    for (const target of [TARGET, null]) {
      expect(render(DEFAULT_CONF, FULL[1], target)).toEqual(renderConfig(target, ...FULL));
    }
  });

  test("with a change is rendered with it, and read back with its server and hash", () => {
    const config = render(DEFAULT_CONF.replace("proxy_buffer_size 16k;", "proxy_buffer_size 64k;"));
    expect(config.text).toContain("proxy_buffer_size 64k;");
    expect(readConfig(config.text)).toEqual(config);
    expect(config.hash).not.toBe(configFor(server()).hash);
  });

  test.each([
    ["a comment similar to the header", `# vast-pod of our team\n${DEFAULT_CONF}`],
    ["an indented header", DEFAULT_CONF.replace("# vast-pod", "  # vast-pod")],
    ["line ends of Windows", DEFAULT_CONF.replaceAll("\n", "\r\n")],
  ])("with %s is read back after a restart", (_, template) => {
    const config = render(template);
    expect(readConfig(config.text)).toEqual(config);
  });

  test("that cannot be read back is refused, because a restarted reloader could not recognise it", () => {
    const message = reasonFor(`${DEFAULT_CONF}{{#hash}}# more{{/hash}}\n`);
    expect(message).toContain("a restarted reloader could not recognise the config");
  });

  test.each([
    ["an open tag", "# {{{server\n", "Unclosed tag", 1],
    ["an open section", "a\n{{#proxied}}\nb\n", 'Unclosed section "proxied"', 4],
    ["an end without a section", "a\nb\n{{/proxied}}\n", 'Unopened section "proxied"', 3],
    ["a name that does not exist", "a\n\nlisten {{{port}}};", "there is no {{port}}", 3],
    ["such a name in a section", "{{#proxied}}\n{{{hots}}}\n{{/proxied}}", "there is no {{hots}}", 2],
    ["a partial", "{{> other}}", "{{> other}} is a partial", 1],
  ])("with %s is refused with line and reason", (_, template, reason, line) => {
    const message = reasonFor(template);
    expect(message).toContain("NGINX_TEMPLATE_PATH");
    expect(message).toContain(reason);
    if (reason !== "Unclosed tag") expect(message).toContain(`line ${line}`);
  });

  test.each([
    ["the header comment", "# vast-pod {{{server}}}"],
    ["the status server's port", "listen 127.0.0.1:{{{statusPort}}};"],
    ["the hash", 'return 200 "{{{hash}}}\\n";'],
  ])("without %s is refused, because nothing could be verified", (_, line) => {
    const message = reasonFor(DEFAULT_CONF.replace(line, ""));
    expect(message).toContain(line);
    expect(message).toContain("verifies with it which config nginx runs");
  });

  test("with many thousand tags is checked without a long wait", () => {
    // CPU time, since other tests may keep the cores busy meanwhile.
    const before = process.cpuUsage();
    checkTemplate("# {{{listenPort}}} is the port that this line names\n".repeat(20_000));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(3_000);
  });

  test("with the hash in two places is refused, because it could not be verified", () => {
    expect(reasonFor(`# {{{hash}}}\n${DEFAULT_CONF}`)).toContain("more than once");
  });

  test.each(["include {{{file}}};", "proxy_set_header {{{header}}} $vast_pod_auth;"])(
    "without `%s` is refused while there is a secret header, and only then",
    (line) => {
      const template = DEFAULT_CONF.replace(line, "");
      expect(reasonFor(template, FULL[1])).toContain(line);
      expect(render(template).server).toEqual(TARGET.server);
    },
  );
});
