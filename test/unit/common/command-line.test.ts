import { describe, expect, test } from "vitest";
import { type CommandCall, EXIT, optionsFor, type Program, runCommandLine } from "../../../common/command-line.ts";
import { SettingsError } from "../../../common/settings.ts";
import { GROUPS, type VariableTable } from "../../../common/variables.ts";
import { PROVISIONER_VARIABLES } from "../../../provisioner/variables.ts";
import { RELOADER_VARIABLES } from "../../../reloader/variables.ts";

/** Runs a program with three commands and records what they were called with and what was printed. */
async function run(args: string[], variables: VariableTable = PROVISIONER_VARIABLES) {
  const calls: { command: string; call: CommandCall }[] = [];
  const printed = { out: "", err: "" };
  const program: Program = {
    name: "vast-test",
    variables,
    version: "1.2.3",
    commands: [
      {
        usage: "run",
        meaning: "runs",
        example: ["--debug", "runs with debug messages"],
        isDefault: true,
        run: async (call) => record("run", call),
      },
      {
        usage: "bans <action> [host]",
        meaning: "bans",
        example: ["bans list", "lists the bans"],
        build: (cli) => cli.positional("action", { choices: ["list", "add"] }),
        run: async (call) => record("bans", call),
      },
      {
        usage: "refuse",
        meaning: "reads bad settings",
        run: async () => {
          throw new SettingsError(["A is wrong.", "B is wrong."]);
        },
      },
      {
        usage: "fail",
        meaning: "fails",
        run: async () => {
          throw new Error("the disk is full");
        },
      },
    ],
  };
  const record = (command: string, call: CommandCall) => {
    calls.push({ command, call });
    return command === "bans" ? EXIT.failed : EXIT.done;
  };
  const streams = {
    out: (text: string) => {
      printed.out += text;
    },
    err: (text: string) => {
      printed.err += text;
    },
  };
  return { code: await runCommandLine(program, args, streams), calls, ...printed };
}

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
    const { calls } = await run(["--json"]);
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

  test("lists every setting in --help, and the secrets separately", async () => {
    const { code, out, calls } = await run(["--help"]);
    expect(code).toBe(0);
    expect(calls).toEqual([]);
    for (const flag of Object.keys(optionsFor(PROVISIONER_VARIABLES))) expect(out).toContain(`--${flag}`);
    expect(out.replace(/\s+/g, " ")).toContain("NAME_FILE names: VAST_API_KEY, DOCKER_LOGIN");
    expect(out).not.toContain("--vast-api-key");
  });

  test("shows the settings by group in --help, the required ones first", async () => {
    const { out } = await run(["--help"]);
    const headings = Object.values(GROUPS).map((heading) => out.indexOf(`${heading}:`));
    expect(headings.filter((at) => at >= 0)).toEqual(headings.filter((at) => at >= 0).toSorted((a, b) => a - b));
    expect(out.indexOf("--pod-name")).toBeGreaterThan(out.indexOf(GROUPS.required));
    expect(out.indexOf("--pod-name")).toBeLessThan(out.indexOf("--debug"));
  });

  test("shows each command's example once in --help, and its own in the command's", async () => {
    const { out } = await run(["--help"]);
    for (const example of ["vast-test --debug  ", "vast-test bans list  "]) expect(out.split(example)).toHaveLength(2);
    const bans = await run(["bans", "--help"]);
    expect(bans.out).toContain("vast-test bans list  ");
    expect(bans.out).not.toContain("vast-test --debug  ");
  });

  test("offers each program its own settings only", () => {
    expect(Object.keys(optionsFor(RELOADER_VARIABLES))).toContain("nginx-config-path");
    expect(Object.keys(optionsFor(RELOADER_VARIABLES))).not.toContain("vast-url");
    expect(Object.keys(optionsFor(PROVISIONER_VARIABLES))).not.toContain("nginx-config-path");
  });
});
