// Each rule finds an offender that is planted for it, and lets the allowed neighbour pass.
import { describe, expect, test } from "vitest";
import { circleOffences, floorOffences, packageOffences, type SourceFile, testImportOffences } from "./import-rules.ts";
import {
  environmentOffences,
  exportedTwiceOffences,
  fileLengthOffences,
  lineLengthOffences,
  mirrorOffences,
  privateWordOffences,
} from "./text-rules.ts";

const file = (path: string, ...lines: string[]): SourceFile => ({ path, text: `${lines.join("\n")}\n` });
const imports = (path: string, to: string) => file(path, `import { x } from "${to}";`);

describe("floors", () => {
  test.each([
    ["an import that goes up", imports("provisioner/model/a.ts", "../plan/b.ts"), "plan is on a higher floor"],
    [
      "an import on the same floor",
      imports("provisioner/plan/a.ts", "../observe/b.ts"),
      "observe is on the same floor",
    ],
    ["an import of lease by search", imports("provisioner/search/a.ts", "../lease/b.ts"), "lease is on the same floor"],
    ["a file beside the folders", imports("provisioner/act/a.ts", "../reconcile.ts"), "reconcile is on a higher floor"],
    ["the other program", imports("provisioner/plan/a.ts", "../../reloader/plan/b.ts"), "the other program"],
    ["a program in common", imports("common/a.ts", "../reloader/plan/b.ts"), "common imports common only"],
    ["a folder that nobody knows", file("provisioner/misc/a.ts"), "a room without a floor"],
    [
      "an import of a room that nobody knows",
      imports("reloader/plan/a.ts", "../misc/b.ts"),
      "misc is on a higher floor",
    ],
  ])("%s is an offence", (_, offender, message) => {
    expect(floorOffences([offender])).toEqual([expect.stringContaining(message)]);
    expect(floorOffences([offender])[0]).toContain(offender.path);
  });

  test.each([
    ["a type", 'import type { X } from "../plan/b.ts";'],
    ["a list of names over several lines", "import {", "  x,", "  type Y,", '} from "../plan/b.ts";'],
    ["a re-export", 'export { x } from "../plan/b.ts";'],
    ["a re-export of everything", 'export * from "../plan/b.ts";'],
    ["effects only", 'import "../plan/b.ts";'],
    ["an import at run time", 'const load = () => import("../plan/b.ts");'],
    ["the type of a module", 'type Plan = typeof import("../plan/b.ts");'],
  ])("an upward import of %s counts", (_, ...lines) => {
    expect(floorOffences([file("provisioner/model/a.ts", ...lines)])).toHaveLength(1);
  });

  test("imports of lower floors, of the same room, of common and of packages are allowed", () => {
    expect(
      floorOffences([
        imports("provisioner/plan/a.ts", "../model/b.ts"),
        imports("provisioner/plan/a.ts", "./b.ts"),
        imports("provisioner/main.ts", "../common/b.ts"),
        imports("reloader/settings.ts", "./variables.ts"),
        imports("reloader/settings.ts", "zod"),
        file("provisioner/model/a.ts", '// import { x } from "../plan/b.ts";'),
      ]),
    ).toEqual([]);
  });
});

describe("test/", () => {
  test.each([
    ["a program that imports a test", imports("provisioner/plan/a.ts", "../../test/fakes/b.ts"), "only test/ imports"],
    ["a build script that imports a test", imports("deploy/build.mjs", "../test/sandbox/b.ts"), "only test/ imports"],
    [
      "a sandbox that knows a program",
      imports("test/sandbox/a.ts", "../../reloader/main.ts"),
      "may not import reloader",
    ],
    ["an emulator that knows the client", imports("test/emulator/a.ts", "../../provisioner/vast/b.ts"), "provisioner"],
    ["an import of unit tests", imports("test/integration/a.ts", "../unit/fakes.ts"), "may not import test/unit"],
    ["a folder that nobody knows", file("test/misc/a.ts"), "a folder without a row"],
  ])("%s is an offence", (_, offender, message) => {
    expect(testImportOffences([offender])).toEqual([expect.stringContaining(message)]);
  });

  test("what the row of a folder has is allowed", () => {
    expect(
      testImportOffences([
        imports("test/unit/plan/a.test.ts", "../../fakes/b.ts"),
        imports("test/simulation/a.ts", "../emulator/b.ts"),
        imports("test/simulation/laws/a.ts", "../b.ts"),
        imports("test/slow/a.ts", "../integration/b.ts"),
      ]),
    ).toEqual([]);
  });

  test("a unit test that lies elsewhere than its source is an offence", () => {
    const source = file("provisioner/plan/a.ts");
    expect(mirrorOffences([source, file("test/unit/provisioner/plan/a.test.ts")])).toEqual([]);
    expect(mirrorOffences([source, file("test/unit/provisioner/planning/a.test.ts")])).toHaveLength(1);
  });
});

test("axios outside common/http.ts is an offence, also as a type", () => {
  const type = file("provisioner/vast/a.ts", 'import type { AxiosAdapter } from "axios";');
  expect(packageOffences([imports("common/http.ts", "axios")])).toEqual([]);
  expect(packageOffences([type])).toEqual(["provisioner/vast/a.ts imports axios, but only common/http.ts may"]);
});

describe("import circles", () => {
  const to = (from: string, other: string) => imports(`common/${from}.ts`, `./${other}.ts`);

  test("a circle of three files is one offence", () => {
    expect(circleOffences([to("a", "b"), to("b", "c"), to("c", "a"), to("d", "a")])).toEqual([
      "common/a.ts, common/b.ts, common/c.ts import each other in a circle",
    ]);
  });

  test("two circles are two offences, and a file that imports itself is one", () => {
    expect(circleOffences([to("a", "b"), to("b", "a"), to("c", "d"), to("d", "c"), to("e", "e")])).toHaveLength(3);
  });

  test("two ways to one file are no circle", () => {
    const both = file("common/a.ts", 'import { b } from "./b.ts";', 'import { c } from "./c.ts";');
    expect(circleOffences([both, to("b", "d"), to("c", "d"), file("common/d.ts")])).toEqual([]);
  });
});

test("the environment read in a room is an offence, and not in main.ts and settings.ts", () => {
  const reads = (path: string) => environmentOffences([file(path, "const home = process.env.HOME;")]);
  expect(reads("provisioner/main.ts")).toEqual([]);
  expect(reads("reloader/settings.ts")).toEqual([]);
  expect(reads("provisioner/plan/a.ts")).toHaveLength(1);
});

test("a name that two files export is an offence, whatever it names", () => {
  const offences = exportedTwiceOffences([
    file("common/a.ts", "export interface Disk {}", "export const ONE = 1;"),
    file("reloader/b.ts", "export type Disk = string;", "const ONE = 1;"),
    file("test/fakes/c.ts", "export const ONE = 1;"),
  ]);
  expect(offences).toEqual(["Disk is exported by common/a.ts and reloader/b.ts"]);
});

test("a program's file of 301 lines is an offence", () => {
  const lines = (count: number, path: string) => fileLengthOffences([file(path, ...Array<string>(count).fill("x;"))]);
  expect(lines(300, "common/a.ts")).toEqual([]);
  expect(lines(301, "common/a.ts")).toHaveLength(1);
  expect(lines(301, "test/unit/a.test.ts")).toEqual([]);
});

test("a comment, a document and a script of 141 characters a line are offences; code is left to the formatter", () => {
  const long = "x".repeat(138);
  expect(lineLengthOffences([file("common/a.ts", `// ${long}`)])).toEqual([
    "common/a.ts:1 has 141 characters, at most 140 are allowed",
  ]);
  expect(lineLengthOffences([file("README.md", `| ${long} |`), file("test/run.sh", `# ${long}x`)])).toHaveLength(2);
  expect(lineLengthOffences([file("common/a.ts", `"${long}x"`), file("README.md", `${long}xx`)])).toEqual([]);
});

test("a private word is an offence as a name, and not in a comment or a text", () => {
  expect(privateWordOffences([file("provisioner/plan/a.ts", "const doomed = [];")])).toEqual([
    "provisioner/plan/a.ts uses the name doomed: say pendingDeletes",
  ]);
  const quoted = file("reloader/a.ts", "// a deaf app", '"deaf"; /* deaf */', "const deafness = 1;");
  expect(privateWordOffences([quoted])).toEqual([]);
});
