import { describe, expect, test } from "vitest";
import { type Command, type CommandCall, EXIT, type Program, plainStart } from "../../../common/command.ts";
import { runCommandLine } from "../../../common/command-line.ts";
import { SettingsError } from "../../../common/settings.ts";
import { GROUPS, type VariableTable } from "../../../common/variables.ts";
import { PROVISIONER_VARIABLES } from "../../../provisioner/variables.ts";

/** Runs a program with some commands and records what they were called with and what was printed. */
async function run(args: string[], variables: VariableTable = PROVISIONER_VARIABLES, width: number | null = null) {
  const calls: { command: string; call: CommandCall }[] = [];
  const printed = { out: "", err: "" };
  const record = (command: string, call: CommandCall) => {
    calls.push({ command, call });
    return command === "bans" ? EXIT.failed : EXIT.done;
  };
  const commands: readonly Command[] = [
    {
      usage: "run",
      meaning: "runs",
      examples: [{ args: "--debug", meaning: "runs with debug messages" }],
      isDefault: true,
      settings: "all",
      run: async (call) => record("run", call),
    },
    {
      usage: "bans <action> [host]",
      meaning: "bans",
      examples: [
        { args: "bans list", meaning: "lists the bans" },
        { args: "bans add 7", meaning: "adds one" },
      ],
      settings: ["DEBUG", "BLACKLIST_REDIS_URL", "BLACKLIST_REDIS_PASSWORD"],
      outputs: ["table", "wide", "json"],
      options: {
        reason: { type: "string", requiresArg: true, describe: "why" },
        yes: { type: "boolean", alias: "y", describe: "do it" },
      },
      positionals: { action: { choices: ["list", "add"] } },
      run: async (call) => record("bans", call),
    },
    {
      usage: "say [text..]",
      meaning: "says",
      examples: [],
      settings: [],
      outputs: ["text", "json"],
      options: { "no-default": { type: "boolean" } },
      takesText: "text",
      run: async (call) => record("say", call),
    },
    {
      usage: "refuse",
      meaning: "reads bad settings",
      examples: [],
      settings: [],
      run: async () => {
        throw new SettingsError(["A is wrong.", "B is wrong."]);
      },
    },
    {
      usage: "fail",
      meaning: "fails",
      examples: [],
      settings: [],
      run: async () => {
        throw new Error("the disk is full");
      },
    },
  ];
  const program: Program = {
    name: "vast-test",
    variables,
    version: "1.2.3",
    commands,
  };
  const terminal = {
    out: (text: string) => {
      printed.out += text;
    },
    err: (text: string) => {
      printed.err += text;
    },
    width: () => width,
    paint: (_: string, text: string) => text,
  };
  return { code: await runCommandLine(program, args, { terminal, env: {} }), calls, ...printed };
}

const context = {
  terminal: { out: () => undefined, err: () => undefined, width: () => null, paint: (_: string, text: string) => text },
  env: {},
};

describe("the command line", () => {
  test("runs the default command when none is named", async () => {
    const { code, calls } = await run([]);
    expect(calls.map((c) => c.command)).toEqual(["run"]);
    expect(code).toBe(0);
  });

  test("returns the exit code of the command", async () => {
    const { code, calls } = await run(["bans", "add", "12"]);
    expect(calls[0]?.call.options).toMatchObject({ action: "add", host: "12" });
    expect(code).toBe(1);
  });

  test("reads settings from flags in kebab-case as text", async () => {
    const { calls } = await run(["--vast-max-dph", "0.40", "--vast-url=http://127.0.0.1:1"]);
    expect(calls[0]?.call.flags).toEqual({ VAST_MAX_DPH: "0.40", VAST_URL: "http://127.0.0.1:1" });
  });

  test.each([
    [["--debug"], "true"],
    [["--debug", "run"], "true"],
    [["--debug=false"], "false"],
    [["--debug", "no"], "no"],
    [["--debug=maybe"], "maybe"],
  ])("reads a switch with and without a value: %j", async (args, value) => {
    const { calls } = await run(args);
    expect(calls[0]?.call.flags).toEqual({ DEBUG: value });
  });

  test("has no setting for a flag that was not given", async () => {
    const { calls } = await run(["bans", "list", "--json"]);
    expect(calls[0]?.call.flags).toEqual({});
    expect(calls[0]?.call.options).toMatchObject({ json: true });
  });

  test.each([
    [["--vast-api-key", "sekrit123"]],
    [["--vast-api-key=sekrit123"]],
    [["--VAST_API_KEY=sekrit123"]],
    [["--docker-login", "-u", "me", "-p", "sekrit123", "host"]],
  ])("refuses a secret as a flag without printing it: %j", async (args) => {
    const { code, calls, out, err } = await run(args);
    expect(code).toBe(2);
    expect(calls).toEqual([]);
    expect(err).toMatch(/(VAST_API_KEY|DOCKER_LOGIN)_FILE/);
    expect(out + err).not.toContain("sekrit123");
  });

  test.each([
    "redis://:sekrit123@redis:6379/10",
    "rediss+cluster://user:sek:rit123@a,b",
    "redis://redis?password=sekrit123",
    "redis+sentinel://a,b/main?sentinelUsername=u&sentinelPassword=sekrit123",
  ])("refuses a URL with a password as a flag without printing it: %s", async (url) => {
    const { code, calls, out, err } = await run(["--fleet-redis-url", url]);
    expect(code).toBe(2);
    expect(calls).toEqual([]);
    expect(err).toContain(
      "--fleet-redis-url has a password, which cannot be in a flag: set the environment variable FLEET_REDIS_URL.",
    );
    expect(out + err).not.toMatch(/rit123/);
  });

  test.each(["redis://redis:6379/10", "redis://user@[::1]:6379", "redis+sentinel://a:1,b:2/main?sentinelUsername=u"])(
    "takes a URL without a password as a flag: %s",
    async (url) => {
      const { code, calls } = await run(["--fleet-redis-url", url]);
      expect(code).toBe(0);
      expect(calls[0]?.call.flags.FLEET_REDIS_URL).toBe(url);
    },
  );

  test("refuses a flag that is given twice", async () => {
    const { code, err } = await run(["--vast-max-dph", "1", "--vast-max-dph", "2"]);
    expect(code).toBe(2);
    expect(err).toContain("--vast-max-dph is given 2 times");
  });

  test.each([[["--vast-maxdph", "1"]], [["rnu"]], [["--vast-max-dph"]], [["bans", "drop"]]])(
    "ends bad usage with exit code 2: %j",
    async (args) => {
      const { code, err, calls } = await run(args);
      expect(code).toBe(2);
      expect(err).toContain("vast-test --help");
      expect(calls).toEqual([]);
    },
  );

  test("prints every problem of bad settings and ends with exit code 2", async () => {
    const { code, err } = await run(["refuse"]);
    expect(code).toBe(2);
    expect(err).toContain("A is wrong.");
    expect(err).toContain("B is wrong.");
  });

  test("prints why a command failed and ends with exit code 1", async () => {
    const { code, err } = await run(["fail"]);
    expect(code).toBe(1);
    expect(err).toBe("vast-test: the disk is full\n");
  });

  test("prints the version", async () => {
    expect(await run(["--version"])).toMatchObject({ code: 0, out: "1.2.3\n", calls: [] });
  });

  test("lists the commands and an example of each in --help, and no setting", async () => {
    const { code, out, calls } = await run(["--help"]);
    expect([code, calls]).toEqual([0, []]);
    for (const name of ["run", "bans <action> [host]", "completion <shell>"])
      expect(out).toContain(`vast-test ${name} `);
    for (const example of ["vast-test --debug  ", "vast-test bans list  "]) expect(out.split(example)).toHaveLength(2);
    expect(out).not.toContain("--vast-max-dph");
    expect(out).not.toContain("vast-test bans add");
  });

  test("lists in a command's --help its own options first, then only the settings that it reads", async () => {
    const { out, calls } = await run(["bans", "--help"]);
    expect(calls).toEqual([]);
    const flags = [...out.matchAll(/^ +(?:-\w, )?--([a-z-]+) /gm)].map(([, flag]) => flag);
    expect(flags).toEqual(["reason", "yes", "output", "json", "version", "help", "blacklist-redis-url", "debug"]);
    expect(out.replace(/\s+/g, " ")).toContain("NAME_FILE names: BLACKLIST_REDIS_PASSWORD.");
    expect(out).toContain("vast-test bans add 7  ");
    expect(out).not.toContain("vast-test --debug");
  });

  test("shows the settings by group in --help, the required ones first, and no secret as a flag", async () => {
    const { out } = await run(["run", "--help"]);
    const headings = Object.values(GROUPS).map((heading) => out.indexOf(`${heading}:`));
    expect(headings.filter((at) => at >= 0)).toEqual(headings.filter((at) => at >= 0).toSorted((a, b) => a - b));
    expect(out.indexOf("--pod-name")).toBeGreaterThan(out.indexOf(GROUPS.required));
    expect(out.indexOf("--pod-name")).toBeLessThan(out.indexOf("--debug"));
    expect(out.replace(/\s+/g, " ")).toContain("NAME_FILE names: VAST_API_KEY, DOCKER_LOGIN");
    expect(out).not.toContain("--vast-api-key");
  });

  test("fits --help into the width of the terminal", async () => {
    const { out } = await run(["run", "--help"], PROVISIONER_VARIABLES, 70);
    const prose = out.split("\n").filter((line) => !line.includes("--"));
    expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(70);
  });

  test.each([[[]], [["run"]]])("calls the default command as a plain start does: %j", async (args) => {
    const { calls } = await run(args);
    expect(calls).toMatchObject([{ command: "run", call: { flags: {}, output: "text", env: {} } }]);
    expect(plainStart(args, context)).toEqual({ flags: {}, options: {}, output: "text", ...context });
  });

  test.each([[["--debug"]], [["run", "--debug"]], [["run", "run"]], [["status"]], [["--help"]], [[""]]])(
    "is needed for %j",
    (args) => {
      expect(plainStart(args, context)).toBeNull();
    },
  );
});

describe("a mistake on the command line", () => {
  test.each([
    [["bnas", "list"], "Unknown command: bnas. Did you mean bans?"],
    [["--debug", "fial"], "Unknown command: fial. Did you mean fail?"],
    [["dance"], "Unknown command: dance."],
    [["--vast-maxdph", "1"], "Unknown option: --vast-maxdph. Did you mean --vast-max-dph?"],
    [["--VAST_MAX_DPH=1"], "Unknown option: --VAST_MAX_DPH. Did you mean --vast-max-dph?"],
    [["bans", "list", "--reson", "x"], "Unknown option: --reson. Did you mean --reason?"],
    [["bans", "list", "--zebra"], "Unknown option: --zebra."],
    [["bans", "list", "--pod-name", "x"], "--pod-name is a setting that bans does not read: leave it out."],
    [["bans", "list", "--reason=a", "--reason=b"], "--reason is given 2 times: keep one of them."],
    [["bans", "list", "-o", "yaml"], '--output must be table, wide or json, not "yaml".'],
    [["bans", "list", "--output=jsno"], 'not "jsno". Did you mean json?'],
    [["bans", "lst"], 'The action of bans must be list or add, not "lst". Did you mean list?'],
    [["--reason", "lst", "bans", "ad"], 'not "ad". Did you mean add?'],
    [["bans"], "bans needs the action: list or add."],
    [["completion", "bsh"], 'The shell of completion must be bash or zsh, not "bsh". Did you mean bash?'],
    [["bans", "list", "--json", "-o", "wide"], "mutually exclusive"],
    [["run", "-o", "json"], "Unknown argument"],
  ])("%j is answered with what to do", async (args, message) => {
    const { code, err, calls } = await run(args);
    expect([code, calls]).toEqual([EXIT.badSettings, []]);
    expect(err).toContain(message);
    expect(err).toContain("See vast-test --help.");
  });
});

describe("the format of the result", () => {
  test.each([
    [["bans", "list"], "table"],
    [["bans", "list", "-o", "wide"], "wide"],
    [["-o", "wide", "bans", "list"], "wide"],
    [["bans", "list", "--output=json"], "json"],
    [["bans", "list", "--json"], "json"],
    [["say"], "text"],
    [["run"], "text"],
  ])("of %j is %s", async (args, output) => {
    const { calls } = await run(args);
    expect(calls[0]?.call.output).toBe(output);
  });
});

describe("the words of a text", () => {
  test.each([
    [["say", "num_gpus=1"], {}, ["num_gpus=1"]],
    [["say", "--no-default", "a=1", "b=2", "--json"], { "no-default": true, json: true }, ["a=1", "b=2"]],
    [["--json", "say", "-num_gpus=1"], { json: true }, ["-num_gpus=1"]],
    [["say", "-o", "json", "x"], { output: "json" }, ["x"]],
    [["say", "--json", "--", "--json", "-h"], { json: true }, ["--json", "-h"]],
    [["say", '"a"', "--vast-url"], {}, ['"a"', "--vast-url"]],
    [["say", ""], {}, [""]],
    [["say"], {}, []],
  ])("are never taken for flags: %j", async (args, options, text) => {
    const { calls, err } = await run(args);
    expect(err).toBe("");
    expect(calls[0]?.call.options).toMatchObject({ ...options, text });
  });
});
