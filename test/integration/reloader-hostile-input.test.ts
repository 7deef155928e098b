// Nothing in the upstream file or the settings becomes a directive: verified with the real nginx.
import { execFileSync } from "node:child_process";
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readIfExists, writeAtomic } from "../../common/atomic-file.ts";
import { readSettings, SettingsError } from "../../common/settings.ts";
import { parseUpstreamFile, type Server } from "../../common/upstream-file.ts";
import { AuthFile } from "../../reloader/inputs/auth-header.ts";
import { renderConfig } from "../../reloader/render/render.ts";
import { readAuthHeader, reloaderSettings } from "../../reloader/settings.ts";
import { RELOADER_VARIABLES } from "../../reloader/variables.ts";
import { directives, skeleton } from "../fakes/nginx-directives.ts";
import { openSandbox, ROOT, type Sandbox } from "../sandbox/sandbox.ts";
import { upstreamFile } from "./reloader-pod.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

const hostile = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."a1.:-;{}\"'\\$#\n\r\t /%[]=@") }),
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.constantFrom(
    "a; }",
    "$host",
    "h;\nreturn 200",
    "a\\",
    'a"',
    "{{hash}}",
    "{{{x}}}",
    "1.1.1.1; }",
    "}",
    "#",
    "off; return 1",
  ),
);
/** Strings that resemble a setting's valid values, with something hostile at either end or in the middle. */
const near = (good: fc.Arbitrary<string>) =>
  fc.oneof(
    good,
    hostile,
    fc.tuple(good, hostile, good).map((parts) => parts.join("")),
    fc.tuple(good, hostile).map((parts) => parts.join("")),
  );
const name = fc.oneof(fc.domain(), fc.constantFrom("app.example", "localhost", "a".repeat(63)));

const strings = {
  NGINX_UPSTREAM_HOST: near(fc.oneof(name, fc.ipV4(), fc.constantFrom("app.example:8443", "[2001:db8::1]:80"))),
  NGINX_UPSTREAM_TLS_NAME: near(name),
  UPSTREAM_AUTH_HEADER: near(
    fc.oneof(
      fc.constantFrom("Authorization: Bearer a", "X-Key: $host", 'X-Key: "; } {'),
      fc.tuple(fc.string(), fc.string()).map(([a, b]) => `${a}: ${b}`),
      fc.string().map((value) => `X-Key: ${value}`),
    ),
  ),
  NGINX_MAX_BODY_SIZE: near(fc.constantFrom("10M", "0", "1g")),
  NGINX_UPSTREAM_KEEPALIVE_SECONDS: near(fc.constantFrom("4", "0.4", "1.5", "315360000")),
  NGINX_TIMEOUT_SECONDS: near(fc.constantFrom("600", "315360000")),
  NGINX_PROXY_BUFFERING: near(fc.constantFrom("on", "off")),
} as const;
type Name = keyof typeof strings;

/** The values of one setting that pass validation, each in its own environment. */
function accepted(setting: Name, count: number): string[] {
  const passed = new Set<string>();
  for (const text of fc.sample(strings[setting], { numRuns: 1_500, seed: 20261123 })) {
    try {
      readSettings(RELOADER_VARIABLES, { env: { [setting]: text }, flags: {}, readFile: () => "" });
      if (text !== "") passed.add(text);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
    }
  }
  return [...passed].slice(0, count);
}

function hosts(count: number): Server[] {
  const servers = fc.sample(
    fc.tuple(
      near(fc.oneof(name, fc.ipV4(), fc.ipV6())),
      fc.constantFrom("http", "https"),
      fc.integer({ min: 1, max: 65535 }),
    ),
    { numRuns: 1_500, seed: 20261123 },
  );
  return servers
    .flatMap(([host, scheme, port]) => {
      const read = parseUpstreamFile(JSON.stringify({ ...upstreamFile({}), server: { scheme, host, port } }));
      return read.ok && read.file.server !== null ? [read.file.server] : [];
    })
    .slice(0, count);
}

const PLAIN = {
  NGINX_UPSTREAM_TLS_VERIFY: "on",
  NGINX_UPSTREAM_TLS_NAME: "app.example",
  NGINX_UPSTREAM_HOST: "app.example",
  UPSTREAM_AUTH_HEADER: "X-Key: v",
};
const SERVER: Server = { scheme: "https", host: "gpu.example", port: 443 };

/** Gives nginx the config for these settings in a folder with that name, and returns the structure of the config. */
async function accept(env: Record<string, string>, server: Server, folderName = "conf.d"): Promise<string[]> {
  const folder = await sandbox.subfolder(folderName);
  const configPath = join(folder, "default.conf");
  const given = { NGINX_ACCESS_LOG: join(folder, "access.log"), NGINX_UPSTREAM_TLS_CA: join(folder, "ca.pem"), ...env };
  await copyFile(join(ROOT, "test/integration/tls/ca.pem"), given.NGINX_UPSTREAM_TLS_CA);
  const source = { env: { ...PLAIN, ...given, NGINX_CONFIG_PATH: configPath }, flags: {}, readFile: () => "" };
  const { settings } = reloaderSettings(source, false);
  const nothing = async () => undefined;
  const disk = { read: readIfExists, write: writeAtomic, list: async () => [], remove: nothing, chmod: nothing };
  const { auth } = await new AuthFile(configPath, disk, () => readAuthHeader(source)).refresh();
  const found = { auth, nginxVersion: null, template: null };
  const { text } = renderConfig({ server, address: "203.0.113.9" }, settings.proxy, found);
  await writeFile(configPath, text);
  const main = join(sandbox.folder, "nginx.conf");
  await writeFile(
    main,
    `pid ${sandbox.folder}/pid; error_log ${sandbox.folder}/log; events {} http { include "${configPath}"; }`,
  );
  execFileSync("nginx", ["-t", "-q", "-c", main], { stdio: "pipe" });
  return skeleton(directives(text));
}

test.each(Object.keys(strings) as Name[])("every value that %s accepts is one word to nginx", async (setting) => {
  const plain = await accept({}, SERVER);
  const values = accepted(setting, 20);
  expect(values.length).toBeGreaterThan(setting === "NGINX_PROXY_BUFFERING" ? 1 : 2);
  for (const value of values) expect([value, await accept({ [setting]: value }, SERVER)]).toEqual([value, plain]);
});

test("every host that the upstream file accepts is one word to nginx", async () => {
  const plain = { http: await accept({}, { ...SERVER, scheme: "http" }), https: await accept({}, SERVER) };
  const servers = hosts(30);
  expect(servers.length).toBe(30);
  for (const server of servers) expect([server, await accept({}, server)]).toEqual([server, plain[server.scheme]]);
});

test("every path that the settings accept is one word to nginx", async () => {
  const plain = await accept({}, SERVER);
  const sample = fc.sample(near(fc.constantFrom("conf.d", "a,b(c)~", "\u00fc", "%41", "..x")), {
    numRuns: 1_500,
    seed: 20261123,
  });
  const names = [...new Set(sample)].filter((text) => {
    const fits = RELOADER_VARIABLES.NGINX_ACCESS_LOG.schema.safeParse(`/${text}`).success;
    return fits && /^[^/]{1,100}$/.test(text) && text !== "." && text !== "..";
  });
  expect(names.length).toBeGreaterThan(20);
  for (const folder of names.slice(0, 20)) expect([folder, await accept({}, SERVER, folder)]).toEqual([folder, plain]);
});
