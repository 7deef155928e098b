import { describe, expect, test } from "vitest";
import { SettingsError, type SettingsSource } from "../../../common/settings.ts";
import { readDestroySettings, readPlanSettings, readProvisionerSettings } from "../../../provisioner/settings.ts";

const required = {
  POD_NAME: "vast-pod-0",
  VAST_API_KEY: "sekrit-key",
  VAST_TEMPLATE_NAME: "demo",
  VAST_TEMPLATE_IMAGE: "example/app:2",
  DOCKER_LOGIN: "-u me -p hunter22 registry.example",
  VAST_SEARCH_QUERY: '{"gpu_name":{"eq":"RTX 4090"}}',
};
const source = (env: Record<string, string> = {}, files: Record<string, string> = {}): SettingsSource => ({
  env: { ...required, ...env },
  flags: {},
  readFile: (path) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    return text;
  },
});
const read = (env: Record<string, string> = {}) => readProvisionerSettings(source(env));
/** The error that the work throws, or null. */
function attempt(work: () => unknown): unknown {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
}

describe("the provisioner's settings", () => {
  test("have their defaults, in the code's units", () => {
    expect(read()).toMatchObject({
      podName: "vast-pod-0",
      desired: {
        label: "k8s_pod=vast-pod-0",
        image: "example/app:2",
        templateName: "demo",
        upstreamPort: undefined,
        upstreamScheme: "http",
      },
      limits: {
        bansEnabled: false,
        banAfterMs: 1_200_000,
        restartThreshold: 5,
        unknownMaxMs: 3_600_000,
        httpProbe: false,
        unreachableMs: 300_000,
        unhealthyMs: 1_800_000,
        endMarginMs: 900_000,
        bidding: null,
        maxDollarsPerHour: undefined,
        maxCreatesPerHour: 6,
      },
      policy: "sync",
      vastUrl: "https://console.vast.ai",
      query: { filters: { gpu_name: { eq: "RTX 4090" } }, options: {}, warnings: [] },
      redis: { bans: null, fleet: null },
      banTimes: { banTtlSeconds: 604_800, restartTtlSeconds: 3600, banAfterSeconds: 1200 },
      healthPath: undefined,
      drainMs: 10_000,
      firstCreateWaitMs: 10_000,
      upstreamPath: "/var/run/vast-pod/upstream.json",
      statePath: "/var/lib/vast-pod/provisioner.json",
      statusPort: 8080,
      reloaderStatusPort: 8081,
      proxyPort: 3000,
      debug: false,
      warnings: [],
    });
  });

  test("take a label for accounts that several clusters share", () => {
    expect(read({ VAST_LABEL: "k8s_pod=prod/vast-pod-0" }).desired.label).toBe("k8s_pod=prod/vast-pod-0");
  });

  // biome-ignore lint/suspicious/noTemplateCurlyInString: as a ConfigMap has it
  test.each(["k8s_pod=prod/${POD_NAME}", "k8s_pod=prod/$(POD_NAME)"])(
    "fill the pod's name into the label %s, so that no two pods share one",
    (label) => {
      const env = { VAST_LABEL: label, POD_NAME: "vast-pod-3" };
      expect(read(env).desired.label).toBe("k8s_pod=prod/vast-pod-3");
      expect(readDestroySettings(source(env)).label).toBe("k8s_pod=prod/vast-pod-3");
    },
  );

  test("read a query in the grammar of the official command line, and prefer VAST_SEARCH_ORDER to the query's order", () => {
    const { query } = read({ VAST_SEARCH_QUERY: "gpu_ram>=24 cpu_cores=1", VAST_SEARCH_ORDER: "dph,dlperf-" });
    expect(query.filters).toMatchObject({ verified: { eq: true }, gpu_ram: { gte: 24_000 }, cpu_cores: { eq: "1" } });
    expect(query.options.order).toEqual([
      ["dph_total", "asc"],
      ["dlperf", "desc"],
    ]);
    const order = [["score", "desc"]];
    expect(read({ VAST_SEARCH_QUERY: JSON.stringify({ order }) }).query.options).toEqual({ order });
    expect(read({ VAST_SEARCH_QUERY: JSON.stringify({ order }), VAST_SEARCH_ORDER: "-dph" }).query.options).toEqual({
      order: [["dph_total", "desc"]],
    });
  });

  test("refuse fields of query and order that the API does not know, unless VAST_SEARCH_ALLOW_UNKNOWN=true", () => {
    const env = { VAST_SEARCH_QUERY: "gpu_nme=x foo=1", VAST_SEARCH_ORDER: "dph,dph_totl" };
    const refused = attempt(() => read(env));
    expect(refused).toBeInstanceOf(SettingsError);
    const ignored = "which the API does not know and ignores";
    const anyway = "VAST_SEARCH_ALLOW_UNKNOWN=true sends it all the same.";
    expect((refused as SettingsError).problems).toEqual([
      `VAST_SEARCH_QUERY has the field gpu_nme, ${ignored}: did you mean gpu_name? ${anyway}`,
      `VAST_SEARCH_QUERY has the field foo, ${ignored}: correct its name, or remove it. ${anyway}`,
      `VAST_SEARCH_ORDER has the field dph_totl, ${ignored}: did you mean dph_total? ${anyway}`,
    ]);
    expect(() => readPlanSettings(source(env))).toThrow("did you mean gpu_name?");
    const { query, warnings } = read({ ...env, VAST_SEARCH_ALLOW_UNKNOWN: "true" });
    expect(query.filters).toMatchObject({ gpu_nme: { eq: "x" }, foo: { eq: "1" } });
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toBe(
      "VAST_SEARCH_QUERY has the field gpu_nme: it is sent because of VAST_SEARCH_ALLOW_UNKNOWN=true, but the API may ignore it.",
    );
  });

  test("report the position of mistakes in query and order, together with all other problems", () => {
    const env = { POD_NAME: "", VAST_SEARCH_QUERY: "num_gpus=1 and x=2", VAST_SEARCH_ORDER: "dph,-", DEBUG: "loud" };
    expect(() => read(env)).toThrow(SettingsError);
    const message = String(attempt(() => read(env)));
    expect(message).toContain("4 settings cannot be used");
    expect(message).toMatch(
      /VAST_SEARCH_QUERY is "num_gpus=1 and x=2": .*at position 11, "and x=2": Unknown operator\./,
    );
    expect(message).toMatch(/VAST_SEARCH_ORDER is "dph,-": .*at position 4, "-": the field name is missing/);
  });

  test("refuse a query for bids", () => {
    for (const query of ['{"type":"interruptible"}', "type=bid num_gpus=1"])
      expect(String(attempt(() => read({ VAST_SEARCH_QUERY: query })))).toContain(
        "bids are made with VAST_INSTANCE_TYPE=interruptible",
      );
  });

  test("have an HTTP probe when there is a path for it", () => {
    expect(read({ VAST_HEALTH_PATH: "/health" })).toMatchObject({ healthPath: "/health", limits: { httpProbe: true } });
  });

  test("have a text that the answer of that probe must hold, but not without a path", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the setting holds it literally
    const VAST_HEALTH_EXPECT = "X-Instance: ${INSTANCE_ID}";
    expect(read({ VAST_HEALTH_PATH: "/health", VAST_HEALTH_EXPECT }).healthExpect).toBe(VAST_HEALTH_EXPECT);
    expect(read().healthExpect).toBeUndefined();
    expect(String(attempt(() => read({ VAST_HEALTH_EXPECT })))).toMatch(/VAST_HEALTH_EXPECT.*set the path/);
  });

  test("have no header for the instance unless one is set", () => {
    expect(read().secrets.upstreamAuth()).toBeNull();
  });

  test("have no registry login with none", () => {
    expect(read({ DOCKER_LOGIN: "none" }).secrets.registryLogin()).toBeNull();
  });
});

describe("the Redis", () => {
  const redisOf = (env: Record<string, string>) => {
    const { bans, fleet } = read(env).redis;
    const shown = (one: typeof bans) => one && `${one.variable} ${one.holds}`;
    return { bans: shown(bans), fleet: shown(fleet), shared: bans === fleet };
  };
  const url = (host: string) => `redis://${host}:6379/1`;

  test("of the fleet is that of FLEET_REDIS_URL, with or without bans", () => {
    const FLEET_REDIS_URL = url("fleet");
    expect(redisOf({ FLEET_REDIS_URL })).toMatchObject({ bans: null, fleet: "FLEET_REDIS_URL fleet" });
    expect(redisOf({ FLEET_REDIS_URL, BLACKLIST_ENABLED: "true" })).toEqual({
      bans: "BLACKLIST_REDIS_URL bans",
      fleet: "FLEET_REDIS_URL fleet",
      shared: false,
    });
  });

  test("of the bans serves the fleet too unless FLEET_REDIS_URL says otherwise, with one connection", () => {
    const both = { bans: "BLACKLIST_REDIS_URL both", fleet: "BLACKLIST_REDIS_URL both", shared: true };
    const env = { BLACKLIST_ENABLED: "true", BLACKLIST_REDIS_URL: url("one") };
    expect(redisOf(env)).toEqual(both);
    expect(redisOf({ ...env, FLEET_REDIS_URL: url("one") })).toEqual(both);
  });

  test("is not used without either setting", () => {
    expect(redisOf({ BLACKLIST_REDIS_URL: url("unused") })).toEqual({ bans: null, fleet: null, shared: true });
  });

  test("needs a URL for its password, and one password only", () => {
    expect(() => read({ FLEET_REDIS_PASSWORD: "p" })).toThrow(
      "FLEET_REDIS_PASSWORD is set without FLEET_REDIS_URL: set the URL too, or use BLACKLIST_REDIS_PASSWORD",
    );
    const FLEET_REDIS_URL = "redis+cluster://:p@a,b";
    expect(() => read({ FLEET_REDIS_URL, FLEET_REDIS_PASSWORD: "p" })).toThrow(
      "FLEET_REDIS_PASSWORD is set and FLEET_REDIS_URL has a password too: keep one of them.",
    );
  });

  test("is refused with the reason, and without its passwords", () => {
    const why = (FLEET_REDIS_URL: string) => String(attempt(() => read({ FLEET_REDIS_URL })));
    expect(why("redis+cluster://u:hunter22@a,b/3")).toMatch(/^(?!.*hunter22).*database 0 only: leave out the number/s);
    expect(why("redis+cluster://u:hunter22@a,b/3")).toContain('FLEET_REDIS_URL is "redis+cluster://[secret]@a,b/3"');
    expect(why("redis+sentinel://a/?sentinelPassword=hunter22")).toMatch(/^(?!.*hunter22).*name of the primary/s);
  });
});

describe("secrets", () => {
  test("are all known to the log, the password of Redis in decoded form", () => {
    const on = { BLACKLIST_ENABLED: "true" };
    const { secrets } = read({ ...on, BLACKLIST_REDIS_URL: "redis://:p%40ss%2Fword@redis:6379/1" });
    expect(secrets.all()).toEqual(expect.arrayContaining(["sekrit-key", "hunter22", "p@ss/word"]));
    const parameter = read({ ...on, BLACKLIST_REDIS_URL: "redis://redis:6379/1?password=p%40ss%2Fword" });
    expect(parameter.secrets.all()).toContain("p@ss/word");
    const sentinels = "redis+sentinel://:pass%231@s1,s2/main?sentinelPassword=pass%232";
    expect(read({ FLEET_REDIS_URL: sentinels }).secrets.all()).toEqual(expect.arrayContaining(["pass#1", "pass#2"]));
  });

  test("of Redis can be apart from its URL, but not twice", () => {
    const apart = {
      BLACKLIST_ENABLED: "true",
      BLACKLIST_REDIS_URL: "redis://redis:6379/1",
      BLACKLIST_REDIS_PASSWORD: "p@ss/word",
    };
    const settings = read(apart);
    expect(settings.redis.bans?.target).toMatchObject({ password: "p@ss/word", database: 1 });
    expect(settings.secrets.all()).toContain("p@ss/word");
    expect(() => read({ ...apart, BLACKLIST_REDIS_URL: "redis://:other@redis:6379/1" })).toThrow(
      "BLACKLIST_REDIS_PASSWORD is set and BLACKLIST_REDIS_URL has a password too: keep one of them.",
    );
  });

  test("come from files, and are read again when the API refuses the key", () => {
    const files: Record<string, string> = { "/key": "first-key\n", "/login": required.DOCKER_LOGIN };
    const env = {
      ...required,
      VAST_API_KEY: "",
      DOCKER_LOGIN: "",
      VAST_API_KEY_FILE: "/key",
      DOCKER_LOGIN_FILE: "/login",
    };
    const { secrets } = readProvisionerSettings(source(env, files));
    expect(secrets.apiKey()).toBe("first-key");
    files["/key"] = "second-key\n";
    secrets.reload();
    expect(secrets.apiKey()).toBe("second-key");
    expect(secrets.all()).toEqual(expect.arrayContaining(["first-key", "second-key"]));
  });

  test("are each read again although the file of another one is missing", () => {
    const files: Record<string, string> = { "/header": "X-Api-Key: first-value\n", "/key": "first-key" };
    const env = { VAST_API_KEY: "", VAST_API_KEY_FILE: "/key", UPSTREAM_AUTH_HEADER_FILE: "/header" };
    const { secrets } = readProvisionerSettings(source(env, files));
    expect(secrets.upstreamAuth()).toEqual({ name: "X-Api-Key", value: "first-value" });
    files["/header"] = "X-Api-Key: Bearer second-value\n";
    delete files["/key"];
    secrets.reload();
    expect(secrets.upstreamAuth()?.value).toBe("Bearer second-value");
    expect(secrets.apiKey()).toBe("first-key");
    expect(secrets.all()).toEqual(expect.arrayContaining(["first-value", "Bearer second-value", "second-value"]));
  });

  test("stay while a file is half-written", () => {
    const files: Record<string, string> = { "/header": "X-Api-Key: first-value\n" };
    const { secrets } = readProvisionerSettings(source({ UPSTREAM_AUTH_HEADER_FILE: "/header" }, files));
    for (const text of ["", "X-Api-K"]) {
      files["/header"] = text;
      secrets.reload();
      expect(secrets.upstreamAuth()?.value).toBe("first-value");
    }
  });

  test("stay while the file is missing", () => {
    const files: Record<string, string> = { "/key": "first-key" };
    const env = { ...required, VAST_API_KEY: "", VAST_API_KEY_FILE: "/key" };
    const { secrets } = readProvisionerSettings(source(env, files));
    delete files["/key"];
    secrets.reload();
    expect(secrets.apiKey()).toBe("first-key");
  });
});

test("destroy needs neither image nor template nor login", () => {
  const { POD_NAME, VAST_API_KEY } = required;
  const settings = readDestroySettings({ env: { POD_NAME, VAST_API_KEY }, flags: {}, readFile: () => "" });
  expect(settings).toMatchObject({ label: "k8s_pod=vast-pod-0", apiKey: "sekrit-key", statusPort: 8080 });
});

test("destroy needs no Redis unless it is enabled, and then knows its password", () => {
  const read = (env: Record<string, string>) =>
    readDestroySettings({ env: { POD_NAME: "p", VAST_API_KEY: "k", ...env }, flags: {}, readFile: () => "" });
  expect(read({ BLACKLIST_REDIS_URL: "nonsense" })).toMatchObject({ redis: null, secrets: ["k"] });
  const url = "redis://:hunter22@redis:6379/10";
  const known = { redis: { target: { password: "hunter22", database: 10 } }, secrets: ["k", "hunter22"] };
  expect(read({ BLACKLIST_ENABLED: "true", BLACKLIST_REDIS_URL: url })).toMatchObject(known);
  expect(read({ FLEET_REDIS_URL: url, BLACKLIST_ENABLED: "true", BLACKLIST_REDIS_URL: "nonsense" })).toMatchObject(
    known,
  );
  const apart = { BLACKLIST_REDIS_URL: "redis://redis:6379/10", BLACKLIST_REDIS_PASSWORD: "hunter22" };
  expect(read({ BLACKLIST_ENABLED: "true", ...apart })).toMatchObject(known);
});

test("a price increase is accepted only under a ceiling: VAST_MAX_DPH must be set", () => {
  const read = (more: object) =>
    readProvisionerSettings({ env: { ...required, ...more }, flags: {}, readFile: () => "" });
  expect(() => read({ VAST_PRICE_INCREASE: "accept-under-max" })).toThrow(
    "VAST_PRICE_INCREASE is accept-under-max and VAST_MAX_DPH is missing",
  );
  expect(read({ VAST_PRICE_INCREASE: "accept-under-max", VAST_MAX_DPH: "0.5" }).priceIncrease).toBe("accept-under-max");
  expect(read({}).priceIncrease).toBe("never");
});

test("settings that do not fit each other are all named at once", () => {
  const read = (more: object) =>
    readProvisionerSettings({ env: { ...required, ...more }, flags: {}, readFile: () => "" });
  const env = {
    VAST_PRICE_INCREASE: "accept-under-max",
    VAST_MAX_UPDATING: "2",
    VAST_INSTANCE_TYPE: "interruptible",
    VAST_HEALTH_EXPECT: "ok",
  };
  const refused = attempt(() => read(env));
  expect(refused).toBeInstanceOf(SettingsError);
  expect((refused as SettingsError).problems.map((problem) => problem.split(" ")[0])).toEqual([
    "VAST_PRICE_INCREASE",
    "VAST_MAX_UPDATING",
    "VAST_INSTANCE_TYPE",
    "VAST_HEALTH_EXPECT",
  ]);
  expect(read({ VAST_MAX_UPDATING: "2", BLACKLIST_ENABLED: "true" }).maxUpdating).toBe(2);
});

describe("what needs a Redis in which the pods count each other", () => {
  const withRedis = { FLEET_REDIS_URL: "redis://redis:6379/10" };
  const withBans = { BLACKLIST_ENABLED: "true" };

  test.each([
    ["VAST_MAX_UPDATING", "2", { maxUpdating: 2 }],
    ["FLEET_MAX_UNAVAILABLE", "1", { maxUnavailable: { number: 1 } }],
    ["FLEET_MAX_UNAVAILABLE", "25%", { maxUnavailable: { percent: 25 } }],
  ])("is %s=%s, a limit that is refused where it would not be kept", (name, text, kept) => {
    expect(() => read({ [name]: text })).toThrow(
      `${name} needs a Redis in which the pods count each other: set FLEET_REDIS_URL, or leave it out.`,
    );
    for (const redis of [withRedis, withBans]) expect(read({ ...redis, [name]: text })).toMatchObject(kept);
  });

  test("is FLEET_EGRESS, which only has no effect: that is a warning", () => {
    expect(read({ FLEET_EGRESS: "node-1" }).warnings).toEqual([
      "FLEET_EGRESS has no effect without a Redis in which the pods take turns: set FLEET_REDIS_URL, or leave it out.",
    ]);
    expect(read({ ...withRedis, FLEET_EGRESS: "node-1" })).toMatchObject({ egress: "node-1", warnings: [] });
  });

  test("is no limit that is left out, or written down as it is anyway", () => {
    expect(read()).toMatchObject({ maxUpdating: null, maxUnavailable: { percent: 10 }, warnings: [] });
    expect(read({ FLEET_MAX_UNAVAILABLE: "10%", FLEET_EGRESS: "all" }).warnings).toEqual([]);
  });
});

test("FLEET_EGRESS takes the longest name that a node may have", () => {
  const FLEET_REDIS_URL = "redis://redis:6379/10";
  const longest = ["a", "b", "c", "d"].map((letter) => letter.repeat(letter === "d" ? 61 : 63)).join(".");
  expect(longest).toHaveLength(253);
  expect(read({ FLEET_REDIS_URL, FLEET_EGRESS: longest }).egress).toBe(longest);
  for (const FLEET_EGRESS of [`${longest}e`, "{node}", "a b"])
    expect(() => read({ FLEET_REDIS_URL, FLEET_EGRESS })).toThrow("expected 1-253 letters, digits, dots, hyphens");
});

test("FLEET_MAX_UNAVAILABLE is a percentage or a number of pods, and at least one", () => {
  const FLEET_REDIS_URL = "redis://redis:6379/10";
  for (const FLEET_MAX_UNAVAILABLE of ["0", "0%", "101%", "2.5%", "10 %", "-1", "100000"])
    expect(() => read({ FLEET_REDIS_URL, FLEET_MAX_UNAVAILABLE })).toThrow(
      "expected a percentage from 1% to 100%, or a number of pods from 1 to 99999",
    );
});

describe("bids", () => {
  const read = (more: object) =>
    readProvisionerSettings({ env: { ...required, ...more }, flags: {}, readFile: () => "" });
  const interruptible = { VAST_INSTANCE_TYPE: "interruptible", VAST_MAX_DPH: "0.5" };

  test("are made only where they are wanted, as a factor or a price", () => {
    expect(read({ VAST_BID: "0.2" }).limits.bidding).toBeNull();
    expect(read(interruptible).limits.bidding).toEqual({ bid: { factor: 1.2 }, fallsBack: true });
    const fixed = { ...interruptible, VAST_BID: "0.2", VAST_BID_FALLBACK: "none" };
    expect(read(fixed).limits.bidding).toEqual({ bid: { dollarsPerHour: 0.2 }, fallsBack: false });
  });

  test("that are set and not made are warned of, because the pod pays the price on demand", () => {
    expect(read({ VAST_BID: "0.2" }).warnings).toEqual([
      "VAST_BID is set and VAST_INSTANCE_TYPE is ondemand: nothing is bid. Set VAST_INSTANCE_TYPE=interruptible, or leave VAST_BID out.",
    ]);
    for (const more of [{ VAST_BID: "" }, {}, { ...interruptible, VAST_BID: "0.2" }])
      expect(read(more).warnings).toEqual([]);
  });

  test("need a ceiling, which no fixed one exceeds", () => {
    expect(() => read({ VAST_INSTANCE_TYPE: "interruptible" })).toThrow(
      "VAST_INSTANCE_TYPE is interruptible and VAST_MAX_DPH is missing: set the highest price",
    );
    expect(() => read({ ...interruptible, VAST_BID: "0.6" })).toThrow(
      "VAST_BID (0.6) is above VAST_MAX_DPH (0.5): lower the bid, or raise VAST_MAX_DPH",
    );
  });

  test("are not for a query that says what is rented", () => {
    for (const [query, name] of [
      ['{"type":"on-demand"}', "type"],
      ["is_bid=false", "is_bid"],
    ])
      expect(() => read({ ...interruptible, VAST_SEARCH_QUERY: query })).toThrow(
        `VAST_SEARCH_QUERY has "${name}" and VAST_INSTANCE_TYPE is interruptible: remove "${name}" from the query`,
      );
  });
});
