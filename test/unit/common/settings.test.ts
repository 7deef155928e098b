import { describe, expect, test } from "vitest";
import * as z from "zod";
import { readSetting, readSettings, SettingsError, type SettingsSource } from "../../../common/settings.ts";
import { GROUPS, type Variable } from "../../../common/variables.ts";
import { PROVISIONER_VARIABLES } from "../../../provisioner/variables.ts";
import { RELOADER_VARIABLES } from "../../../reloader/variables.ts";
import { generatedPart } from "../../docs/parts.ts";
import { VARIABLES, type VariableName } from "../../docs/settings.ts";

/** A valid value for each required setting, so that a test has one invalid value. */
const REQUIRED = {
  POD_NAME: "vast-pod-0",
  VAST_API_KEY: "sekrit-key",
  VAST_TEMPLATE_NAME: "demo",
  VAST_TEMPLATE_IMAGE: "example/app:2",
  DOCKER_LOGIN: "-u me -p hunter22 registry.example",
  VAST_SEARCH_QUERY: '{"gpu_name":{"eq":"RTX 4090"}}',
} as const;
const ALL = Object.keys(VARIABLES) as VariableName[];
const variable = (name: VariableName): Variable => VARIABLES[name];

function read(env: Record<string, string | undefined>, more: Partial<SettingsSource> = {}) {
  const readFile = (path: string): string => {
    throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
  };
  return readSettings(VARIABLES, { env: { ...REQUIRED, ...env }, flags: {}, readFile, ...more });
}

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  throw new Error("the settings were accepted");
}

/** What a URL of one server without a login is read as. */
const redisServer = ({ host, database }: { host: string; database: number }) => ({
  kind: "server",
  tls: false,
  username: null,
  password: null,
  server: { host, port: 6379 },
  database,
});

describe("the six required variables", () => {
  test.each(Object.keys(REQUIRED) as VariableName[])(
    "%s: missing or empty is a problem with its name and remedy",
    (name) => {
      for (const [value, word] of [
        [undefined, "missing"],
        ["", "missing"],
        ["  ", "empty"],
      ] as const) {
        const problems = problemsOf(() => read({ [name]: value }));
        expect(problems).toHaveLength(1);
        expect(problems[0]).toContain(`${name} is ${word}`);
        expect(problems[0]).toContain(variable(name).expects);
      }
    },
  );

  test("are read", () => {
    expect(read({}).values).toMatchObject({
      POD_NAME: "vast-pod-0",
      VAST_API_KEY: "sekrit-key",
      VAST_TEMPLATE_NAME: "demo",
      VAST_TEMPLATE_IMAGE: "example/app:2",
      DOCKER_LOGIN: { user: "me", password: "hunter22", host: "registry.example", text: REQUIRED.DOCKER_LOGIN },
      VAST_SEARCH_QUERY: { filters: { gpu_name: { eq: "RTX 4090" } } },
    });
  });
});

// The names and defaults that deployments depend on.
const DEFAULTS: [VariableName, string, unknown][] = [
  ["NGINX_CONFIG_PATH", "/etc/nginx/http.d/default.conf", "/etc/nginx/http.d/default.conf"],
  ["NGINX_LISTEN_PORT", "3000", 3000],
  ["NGINX_MAX_BODY_SIZE", "10M", "10M"],
  ["BLACKLIST_ENABLED", "false", false],
  ["BLACKLIST_REDIS_URL", "redis://redis:6379/10", redisServer({ host: "redis", database: 10 })],
  ["BLACKLIST_BAN_AFTER_SECONDS", "1200", 1200],
  ["BLACKLIST_BAN_TTL_SECONDS", "604800", 604_800],
  ["BLACKLIST_RESTART_TTL_SECONDS", "3600", 3600],
  ["BLACKLIST_RESTART_THRESHOLD", "5", 5],
  ["DEBUG", "false", false],
];

describe("the ten variables with a default", () => {
  test.each(DEFAULTS)("%s: missing and empty both mean %s", (name, text, value) => {
    const v = variable(name);
    expect("default" in v ? v.default : null).toBe(text);
    expect(read({}).values[name]).toEqual(value);
    expect(read({ [name]: "" }).values[name]).toEqual(value);
  });

  test("come after the required ones in the table of their program", () => {
    expect(Object.keys(PROVISIONER_VARIABLES).slice(0, 6)).toEqual(Object.keys(REQUIRED));
    for (const [name] of DEFAULTS) expect([name, variable(name).group]).not.toEqual([name, "required"]);
  });
});

const INVALID = [
  ["POD_NAME", "a b"],
  ["POD_NAME", "-a"],
  ["POD_NAME", "x".repeat(201)],
  ["VAST_API_KEY", "two words"],
  ["VAST_TEMPLATE_NAME", " demo"],
  ["VAST_TEMPLATE_NAME", "de\nmo"],
  ["VAST_TEMPLATE_IMAGE", "example app"],
  ["VAST_TEMPLATE_IMAGE", "--help"],
  ["DOCKER_LOGIN", "me hunter22"],
  ["DOCKER_LOGIN", "-u me -p 'hunter22' registry.example"],
  ["DOCKER_LOGIN", "-u me -p hunter22"],
  ["DOCKER_LOGIN", "-u me -p hunter22 --privileged"],
  ["VAST_UPSTREAM_SCHEME", "h2c"],
  ["UPSTREAM_AUTH_HEADER", "sekrit"],
  ["UPSTREAM_AUTH_HEADER", "X-Api-Key:"],
  ["UPSTREAM_AUTH_HEADER", "X-Api-Key : sekrit"],
  ["UPSTREAM_AUTH_HEADER", "X Api Key: sekrit"],
  ["UPSTREAM_AUTH_HEADER", ": sekrit"],
  ["UPSTREAM_AUTH_HEADER", "X-Api-Key: sek\rrit"],
  ["UPSTREAM_AUTH_HEADER", "X-Api-Key: sek\nX-Evil: rit"],
  ["UPSTREAM_AUTH_HEADER", "X-Api-Key: sekr\u00eft"],
  ["UPSTREAM_AUTH_HEADER", "host: sekrit"],
  ["UPSTREAM_AUTH_HEADER", "Content-Length: 5"],
  ["UPSTREAM_AUTH_HEADER", "Transfer-Encoding: chunked"],
  ["UPSTREAM_AUTH_HEADER", "Connection: close"],
  ["UPSTREAM_AUTH_HEADER", "Proxy-Authorization: sekrit"],
  ["UPSTREAM_AUTH_HEADER", "X-Forwarded-For: sekrit"],
  ["NGINX_CONFIG_PATH", "default.conf"],
  ["NGINX_CONFIG_PATH", "/etc/a b"],
  ["NGINX_CONFIG_PATH", "/etc/a;b"],
  ["NGINX_LISTEN_PORT", "0"],
  ["NGINX_LISTEN_PORT", "65536"],
  ["NGINX_LISTEN_PORT", "80 80"],
  ["NGINX_MAX_BODY_SIZE", "10MB"],
  ["NGINX_MAX_BODY_SIZE", "10; }"],
  ["BLACKLIST_ENABLED", "maybe"],
  ["BLACKLIST_REDIS_URL", "redis:6379"],
  ["BLACKLIST_REDIS_URL", "http://redis:6379"],
  ["BLACKLIST_REDIS_URL", "redis://:100%sure@redis:6379"],
  ["BLACKLIST_REDIS_URL", "redis://:%c3%28@redis:6379"],
  ["BLACKLIST_BAN_AFTER_SECONDS", "0"],
  ["BLACKLIST_BAN_AFTER_SECONDS", "20m"],
  ["BLACKLIST_BAN_TTL_SECONDS", "-1"],
  ["BLACKLIST_RESTART_TTL_SECONDS", "1e3"],
  ["BLACKLIST_RESTART_THRESHOLD", "5.5"],
  ["DEBUG", "2"],
  ["VAST_URL", "console.vast.ai"],
  ["VAST_URL", "https://console.vast.ai/api/v0"],
  ["VAST_URL", "https://console.vast.ai/?key=1"],
  ["VAST_LABEL", "a b"],
  ["VAST_LABEL", "k8s_pod=prod/$(HOSTNAME)"],
  ["VAST_POLICY", "none"],
  ["VAST_UPDATE_STRATEGY", "blue-green"],
  ["VAST_UPDATE_PRECHECK", "tag"],
  ["VAST_SURGE_READY", "both"],
  ["VAST_MAX_UPDATING", "0"],
  ["VAST_UPSTREAM_PORT", "http"],
  ["VAST_HEALTH_PATH", "health"],
  ["VAST_HEALTH_EXPECT", "id\tone"],
  ["VAST_MAX_DPH", "0"],
  ["VAST_MAX_DPH", "$0.45"],
  ["VAST_MAX_CREATES_PER_HOUR", "0"],
  ["VAST_MIN_DURATION_SECONDS", "0"],
  ["VAST_MIN_DURATION_SECONDS", "1d"],
  ["VAST_END_MARGIN_SECONDS", "-1"],
  ["VAST_END_MARGIN_SECONDS", "15m"],
  ["VAST_PRICE_INCREASE", "always"],
  ["VAST_INSTANCE_TYPE", "spot"],
  ["VAST_BID", "0"],
  ["VAST_BID", "$0.2"],
  ["VAST_BID", "33"],
  ["VAST_BID", "0.9x"],
  ["VAST_BID", "11x"],
  ["VAST_BID", "120%"],
  ["VAST_BID_FALLBACK", "bids"],
  ["UPSTREAM_PATH", "upstream.json"],
  ["UPSTREAM_PATH", "/run/a\u0007b"],
  ["NGINX_UPSTREAM_KEEPALIVE_SECONDS", "0"],
  ["NGINX_UPSTREAM_KEEPALIVE_SECONDS", "0.0001"],
  ["NGINX_UPSTREAM_KEEPALIVE_SECONDS", "400ms"],
  ["NGINX_UPSTREAM_HOST", "app.example/x"],
  ["NGINX_UPSTREAM_HOST", "app.example:0"],
  ["NGINX_UPSTREAM_HOST", "2001:db8::1"],
  ["NGINX_UPSTREAM_HOST", "$host"],
  ["NGINX_UPSTREAM_TLS_VERIFY", "yes"],
  ["NGINX_UPSTREAM_TLS_CA", "ca.pem"],
  ["NGINX_UPSTREAM_TLS_NAME", "203.0.113.9"],
  ["NGINX_UPSTREAM_TLS_NAME", "a;b"],
  ["NGINX_TEMPLATE_PATH", "my.mustache"],
  ["UPSTREAM_AUTH_HEADER", `X-Key: ${"a".repeat(2001)}`],
  ["UPSTREAM_AUTH_HEADER", "X$: sekrit"],
  ["VAST_SEARCH_QUERY", "num_gpus=1 and x=2"],
  ["VAST_SEARCH_ORDER", "dph,-"],
  ["VAST_SEARCH_ALLOW_UNKNOWN", "maybe"],
  ["VAST_ON_TERMINATE", "stop"],
  ["VAST_TERMINATE_SECONDS", "0"],
  ["VAST_FIRST_CREATE_WAIT_SECONDS", "-1"],
  ["VAST_DRAIN_SECONDS", "10s"],
  ["VAST_UNREACHABLE_TIMEOUT_SECONDS", "0"],
  ["VAST_UNHEALTHY_TIMEOUT_SECONDS", "30m"],
  ["VAST_UNKNOWN_MAX_SECONDS", "0"],
  ["FLEET_REDIS_URL", "redis:6379"],
  ["FLEET_REDIS_PASSWORD", "two words"],
  ["BLACKLIST_REDIS_PASSWORD", "two words"],
  ["BLACKLIST_SCOPE", "rack"],
  ["FLEET_EGRESS", "a b"],
  ["FLEET_MAX_UNAVAILABLE", "0"],
  ["FLEET_MAX_UNAVAILABLE", "101%"],
  ["VAST_MAX_UPDATING", "10%"],
  ["VAST_TEMPLATE_FILE", "template.yaml"],
  ["VAST_TEMPLATE_FILE", "/etc/a b.yaml"],
  ["STATE_PATH", "provisioner.json"],
  ["PROVISIONER_STATUS_PORT", "0"],
  ["RELOADER_STATUS_PORT", "65536"],
  ["KUBERNETES_EVENTS", "maybe"],
  ["UPSTREAM_ALLOW_LOCAL", "maybe"],
  ["STAY_UP", "maybe"],
  ["LOG_FORMAT", "xml"],
  ["NGINX_TIMEOUT_SECONDS", "0"],
  ["NGINX_TRUST_FORWARDED", "maybe"],
  ["NGINX_PROXY_BUFFERING", "maybe"],
  ["NGINX_ACCESS_LOG", "access.log"],
  ["NGINX_ERROR_LOG", "error.log"],
  ["NGINX_PID_FILE", "nginx.pid"],
  ["NGINX_STATUS_PORT", "http"],
] as const satisfies readonly (readonly [VariableName, string])[];

describe("an invalid value is a problem that names the variable and what is valid", () => {
  test.each(INVALID)("%s=%j", (name, value) => {
    const problems = problemsOf(() => read({ [name]: value }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} `));
    expect(problems[0]).toContain(variable(name).expects);
  });

  test("for every setting", () => {
    const tried = new Set<string>(INVALID.map(([name]) => name));
    expect(ALL.filter((name) => !tried.has(name))).toEqual([]);
  });

  test("all problems are reported at once", () => {
    const problems = problemsOf(() => read({ POD_NAME: "", NGINX_LISTEN_PORT: "x", VAST_POLICY: "y" }));
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual(["POD_NAME", "VAST_POLICY", "NGINX_LISTEN_PORT"]);
    expect(new SettingsError(problems).message).toContain("3 settings cannot be used");
  });

  test("a query that cannot be parsed is reported among the others, with its reason", () => {
    const problems = problemsOf(() => read({ POD_NAME: "", VAST_SEARCH_QUERY: "num_gpus=1 and x=2", DEBUG: "x" }));
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual(["POD_NAME", "VAST_SEARCH_QUERY", "DEBUG"]);
    expect(problems[1]).toContain(variable("VAST_SEARCH_QUERY").expects);
    expect(problems[1]).toContain('(at position 11, "and x=2": Unknown operator.');
  });

  test("only the settings that are named are read", () => {
    const source = { env: { DEBUG: "1" }, flags: {}, readFile: () => "" };
    expect(readSettings(VARIABLES, source, ["DEBUG", "VAST_LABEL"]).values).toEqual({
      DEBUG: true,
      VAST_LABEL: undefined,
    });
  });

  test("a long value is truncated", () => {
    expect(problemsOf(() => read({ NGINX_LISTEN_PORT: "9".repeat(5000) }))[0]?.length).toBeLessThan(400);
  });
});

describe("a valid value is read", () => {
  test.each([
    ["BLACKLIST_ENABLED", "TRUE", true],
    ["BLACKLIST_ENABLED", "1", true],
    ["DEBUG", "off", false],
    ["VAST_MAX_DPH", "0.45", 0.45],
    ["VAST_UPSTREAM_PORT", "8000", 8000],
    ["VAST_DRAIN_SECONDS", "0", 0],
    ["BLACKLIST_RESTART_THRESHOLD", "0", 0],
    ["VAST_URL", "http://127.0.0.1:8090", "http://127.0.0.1:8090"],
    ["VAST_URL", "http://127.0.0.1:8090/", "http://127.0.0.1:8090/"],
    ["NGINX_ACCESS_LOG", "off", "off"],
    [
      "BLACKLIST_REDIS_URL",
      "rediss://:pw@redis:6379/1",
      { ...redisServer({ host: "redis", database: 1 }), tls: true, password: "pw" },
    ],
    ["DOCKER_LOGIN", "none", null],
    ["VAST_UPSTREAM_SCHEME", "https", "https"],
    ["UPSTREAM_AUTH_HEADER", "X-Api-Key: sekrit", { name: "X-Api-Key", value: "sekrit" }],
    ["UPSTREAM_AUTH_HEADER", "Authorization:Bearer a.b/c==", { name: "Authorization", value: "Bearer a.b/c==" }],
    ["UPSTREAM_AUTH_HEADER", ' Cookie:\t a="b"; c=d \n', { name: "Cookie", value: 'a="b"; c=d' }],
  ] as const)("%s=%s", (name, text, value) => expect(read({ [name]: text }).values[name]).toEqual(value));

  test("an optional variable that is missing or empty is undefined", () => {
    expect(read({ VAST_MAX_DPH: "" }).values.VAST_MAX_DPH).toBeUndefined();
    expect(read({}).values.VAST_LABEL).toBeUndefined();
  });

  test("a login keeps its parts, however they are spaced", () => {
    const login = read({ DOCKER_LOGIN: " -u  me   -p hunter22  registry.example " }).values.DOCKER_LOGIN;
    expect(login?.text).toBe("-u me -p hunter22 registry.example");
  });

  test("a row's parser decides the type of its value, and an optional row may have none", () => {
    const length = z.string().transform((text) => text.length);
    const row = { group: "search", meaning: "", expects: "", schema: length } as const;
    const table = {
      A: { ...row, need: "required" },
      B: { ...row, need: "optional" },
    } as const;
    const { values } = readSettings(table, { env: { A: "four" }, flags: {}, readFile: () => "" });
    expect([values.A + 1, values.B]).toEqual([5, undefined]);
  });
});

describe("where a value comes from", () => {
  test("a flag overrides the environment", () => {
    const flags = { NGINX_LISTEN_PORT: "4000" };
    expect(read({ NGINX_LISTEN_PORT: "5000" }, { flags }).values.NGINX_LISTEN_PORT).toBe(4000);
  });

  test("an older name is read, with a warning, and the newer name wins", () => {
    const older = read({ BLACKLIST_REDIS: "redis://old:6379/1" });
    expect(older.values.BLACKLIST_REDIS_URL).toEqual(redisServer({ host: "old", database: 1 }));
    expect(older.warnings).toEqual(["BLACKLIST_REDIS is the older name of BLACKLIST_REDIS_URL: rename it."]);
    const both = read({ BLACKLIST_REDIS: "redis://old:6379/1", BLACKLIST_REDIS_URL: "redis://new:6379/1" });
    expect(both.values.BLACKLIST_REDIS_URL).toEqual(redisServer({ host: "new", database: 1 }));
    expect(both.warnings).toEqual([]);
  });

  const file = (text: string) => ({ readFile: () => text });

  test("a secret may come from a file, without its line end", () => {
    const env = { VAST_API_KEY: undefined, VAST_API_KEY_FILE: "/run/secrets/key" };
    expect(read(env, file("from-file\n")).values.VAST_API_KEY).toBe("from-file");
  });

  test("only a secret may come from a file", () => {
    const problems = problemsOf(() => read({ POD_NAME: undefined, POD_NAME_FILE: "/x" }, file("vast-pod-0")));
    expect(problems[0]).toContain("POD_NAME is missing");
  });

  test("a secret that is given both ways is a problem", () => {
    const problems = problemsOf(() => read({ VAST_API_KEY_FILE: "/x" }, file("y")));
    expect(problems).toEqual(["VAST_API_KEY and VAST_API_KEY_FILE are both set: keep one of them."]);
  });

  test("a file that cannot be read is a problem that names the file", () => {
    const problems = problemsOf(() => read({ VAST_API_KEY: "", VAST_API_KEY_FILE: "/run/secrets/key" }));
    expect(problems[0]).toMatch(/VAST_API_KEY_FILE is "\/run\/secrets\/key": ENOENT/);
  });

  test("an empty file is a problem", () => {
    const problems = problemsOf(() => read({ VAST_API_KEY: "", VAST_API_KEY_FILE: "/x" }, file("\n")));
    expect(problems[0]).toContain("VAST_API_KEY is empty");
  });
});

describe("no message shows a secret", () => {
  test.each([
    ["VAST_API_KEY", "sekrit 123"],
    ["DOCKER_LOGIN", "me:sekrit123"],
    ["BLACKLIST_REDIS_URL", "http://:sekrit123@redis:6379"],
    ["BLACKLIST_REDIS_URL", "http://me:p@sekrit123/x@redis:6379"],
    ["BLACKLIST_REDIS_URL", ":sekrit123@redis:6379"],
    ["BLACKLIST_REDIS_URL", "redis:me:sekrit123@redis:6379"],
    ["BLACKLIST_REDIS_URL", "http://redis:6379/10?password=sekrit123&db=3"],
    ["VAST_URL", "ftp://me:sekrit123@host"],
  ] as const)("%s=%s", (name, value) => {
    const problems = problemsOf(() => read({ [name]: value }));
    expect(problems.join()).toContain(name);
    expect(problems.join()).not.toContain("sekrit");
  });
});

describe("the table", () => {
  test("gives each program its own settings, and both the shared ones", () => {
    const [provisioner, reloader] = [Object.keys(PROVISIONER_VARIABLES), Object.keys(RELOADER_VARIABLES)];
    expect(reloader).toContain("NGINX_CONFIG_PATH");
    expect(reloader).not.toContain("VAST_API_KEY");
    expect(provisioner).not.toContain("NGINX_CONFIG_PATH");
    expect(provisioner.filter((name) => reloader.includes(name)).toSorted()).toEqual([
      "DEBUG",
      "LOG_FORMAT",
      "NGINX_LISTEN_PORT",
      "RELOADER_STATUS_PORT",
      "STAY_UP",
      "UPSTREAM_ALLOW_LOCAL",
      "UPSTREAM_AUTH_HEADER",
      "UPSTREAM_PATH",
    ]);
  });

  test("has defaults that its own rules accept", () => {
    for (const name of ALL) {
      const v = variable(name);
      if (v.need === "default") expect([name, v.schema.safeParse(v.default).success]).toEqual([name, true]);
    }
  });

  test("has a markdown row of at most 140 characters for each setting, under the heading of its group", async () => {
    const parts = await Promise.all(["settings", "seldom-settings"].map(generatedPart));
    const lines = parts.flatMap((part) => part?.split("\n") ?? []);
    const rows = lines.filter((line) => /^\| [A-Z]/.test(line));
    expect(rows).toHaveLength(ALL.length);
    expect(rows.filter((row) => row.length > 140)).toEqual([]);
    const headings = lines.flatMap((line) => /^\| \*\*(.*)\*\* \|/.exec(line)?.[1] ?? []);
    expect(headings.toSorted()).toEqual(Object.values(GROUPS).toSorted());
    expect(rows[0]).toBe("| POD_NAME |  | unique name of the pod; it becomes part of the instance's label |");
  });
});

describe("a variable with a mistyped name", () => {
  test("is refused with the other problems", () => {
    expect(problemsOf(() => read({ VAST_MAX_DPPH: "0.5" }))).toEqual([
      "VAST_MAX_DPPH is not a setting: did you mean VAST_MAX_DPH? Rename it, or remove it.",
    ]);
    const problems = problemsOf(() => read({ VAST_TEMPLATE_NAME: "", VAST_TEMPLAT_NAME: "demo" }));
    expect(problems.map((problem) => problem.split(":")[0])).toEqual([
      "VAST_TEMPLATE_NAME is missing",
      "VAST_TEMPLAT_NAME is not a setting",
    ]);
  });

  test("is refused only where the setting is read that was meant", () => {
    const source = { env: { VAST_MAX_DPPH: "0.5", VAST_LABLE: "x" }, flags: {}, readFile: () => "" };
    expect(problemsOf(() => readSettings(VARIABLES, source, ["VAST_LABEL"]))).toEqual([
      "VAST_LABLE is not a setting: did you mean VAST_LABEL? Rename it, or remove it.",
    ]);
    expect(readSetting(VARIABLES, source, "VAST_LABEL")).toBeUndefined();
  });
});
