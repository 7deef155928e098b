import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mistypedNames } from "../../../common/mistyped-names.ts";
import { PROVISIONER_VARIABLES } from "../../../provisioner/variables.ts";
import { RELOADER_VARIABLES } from "../../../reloader/variables.ts";
import { settingNames, VARIABLES } from "../../docs/settings.ts";

const NAMES = Object.keys(VARIABLES);
const found = (env: Record<string, string | undefined>, names: readonly string[] = NAMES) =>
  mistypedNames(VARIABLES, names, env);

describe("a slip in the name of a setting", () => {
  test.each([
    ["VAST_MAX_DPPH", "VAST_MAX_DPH"],
    ["VAST_MAX_DHP", "VAST_MAX_DPH"],
    ["VAST_MAXDPH", "VAST_MAX_DPH"],
    ["VAST_URI", "VAST_URL"],
    ["VAST_LABELS", "VAST_LABEL"],
    ["VAST_POLCY", "VAST_POLICY"],
    ["VAST_HEALTH_EXPECTED", "VAST_HEALTH_EXPECT"],
    ["VAST_MAX_CREATE_PER_HOURS", "VAST_MAX_CREATES_PER_HOUR"],
    ["VAST_API_KEY_FIEL", "VAST_API_KEY_FILE"],
    ["BLACKLIST_REDIS_URI", "BLACKLIST_REDIS_URL"],
    ["BLACKLIST_RDIS", "BLACKLIST_REDIS"],
    ["FLEET_REDIS", "FLEET_REDIS_URL"],
    ["NGINX_LISTENPORT", "NGINX_LISTEN_PORT"],
    ["POD_NAMES", "POD_NAME"],
    ["STAY_UPP", "STAY_UP"],
    ["VATS_MAX_DPH", "VAST_MAX_DPH"],
    ["VASTMAX_DPH", "VAST_MAX_DPH"],
    ["VASTM_AX_DPH", "VAST_MAX_DPH"],
    ["VVAST_API_KEY_FILE", "VAST_API_KEY_FILE"],
    ["BLACKLST_ENABLED", "BLACKLIST_ENABLED"],
    ["vast_max_dph", "VAST_MAX_DPH"],
    ["Vast_Max_Dph", "VAST_MAX_DPH"],
    ["VAST-MAX-DPH", "VAST_MAX_DPH"],
  ])("%s means %s", (name, meant) => {
    expect(found({ [name]: "1" })).toEqual([
      `${name} is not a setting: did you mean ${meant}? Rename it, or remove it.`,
    ]);
  });

  test("is found in every setting, whatever letter is doubled", () => {
    for (const name of NAMES) {
      const at = name.indexOf("_") + 1;
      if (at === 0) continue;
      const slip = name.slice(0, at + 1) + name.slice(at);
      expect(found({ [slip]: "1" })[0]).toContain(`did you mean ${name}?`);
    }
  });

  test("is a file for what is no secret", () => {
    expect(found({ VAST_MAX_DPH_FILE: "/run/price" })).toEqual([
      "VAST_MAX_DPH_FILE is not a setting: only secrets are read from a file. Write the value into VAST_MAX_DPH.",
    ]);
    expect(found({ VAST_API_KEY_FILE: "/run/key" })).toEqual([]);
  });

  test("is found in every setting, whatever letter of its first word is missing, where that is no short word", () => {
    for (const name of NAMES) {
      const length = name.indexOf("_");
      for (let at = 0; at < length; at++) {
        const slip = name.slice(0, at) + name.slice(at + 1);
        expect(found({ [slip]: "1" }), slip).toHaveLength(length < 4 ? 0 : 1);
      }
    }
  });

  test("counts for nothing where it has no value, or where the setting that was meant is not read", () => {
    expect(found({ VAST_MAX_DPPH: "", VAST_MAX_DHP: undefined })).toEqual([]);
    expect(found({ VAST_MAX_DPPH: "0.5" }, ["VAST_URL"])).toEqual([]);
  });
});

describe("the name of something else", () => {
  test.each([
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_PORT",
    "POD_IP",
    "POD_UID",
    "POD_NODE",
    "POD_NAMESPACE",
    "VAST_POD_PORT",
    "VAST_CONTAINERLABEL",
    "VAST_TCP_PORT_22",
    "NGINX_VERSION",
    "NGINX_PORT",
    "NGINX_HOST",
    "DOCKER_HOST",
    "LOG_LEVEL",
    "STATE_DIR",
    "VAST",
    "DEBUG_COLORS",
    "MAX_DPH",
    "XDEBUG",
    "debug",
    "log_format",
    "BLOG_FORMAT",
    "AVAST_HOME",
  ])("%s", (name) => {
    expect(found({ [name]: "1" })).toEqual([]);
  });

  test("is that of any Service of the namespace", () => {
    const word = fc.constantFrom(...new Set(NAMES.flatMap((name) => name.split("_"))), "POD", "A", "HTTP");
    const service = fc.oneof(
      fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join("_")),
      // Services whose variable X_PORT is one letter away from a setting.
      fc.constantFrom("NGINX_LISTENS", "NGINX_STATU", "RELOADER_STATUSS", "VAST_UPSTREAMS", "PROVISIONER_STATE"),
    );
    fc.assert(
      fc.property(service, (name) => {
        const tcp = `${name}_PORT_80_TCP`;
        const env = {
          [`${name}_SERVICE_HOST`]: "10.0.0.7",
          [`${name}_SERVICE_PORT`]: "80",
          [`${name}_SERVICE_PORT_HTTP`]: "80",
          [`${name}_PORT`]: "tcp://10.0.0.7:80",
          [tcp]: "tcp://10.0.0.7:80",
          [`${tcp}_PROTO`]: "tcp",
          [`${tcp}_PORT`]: "80",
          [`${tcp}_ADDR`]: "10.0.0.7",
        };
        expect(found(env)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test("is a setting of the other program, which may have the same environment", () => {
    const env = Object.fromEntries([...settingNames()].map((name) => [name, "1"]));
    for (const table of [PROVISIONER_VARIABLES, RELOADER_VARIABLES])
      expect(mistypedNames(table, Object.keys(table), env)).toEqual([]);
  });
});
