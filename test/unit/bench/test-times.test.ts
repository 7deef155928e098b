import { expect, test } from "vitest";
import { timesTable } from "../../bench/test-times.ts";

const report = {
  testResults: [
    {
      name: "/home/me/test/unit/a.test.ts",
      startTime: 1000,
      endTime: 1500,
      assertionResults: [{ fullName: "is quick", duration: 20 }, { fullName: "has no time" }],
    },
    {
      name: "/home/me/test/simulation/b.test.ts",
      startTime: 1000,
      endTime: 9000,
      assertionResults: [{ fullName: "takes long", duration: 7900 }],
    },
  ],
};

test("lists the sums of the folders, then the files and the tests that take longest", () => {
  expect(timesTable(report, 1, (path) => path.replace("/home/me/", ""))).toEqual([
    "3 tests in 2 files, 8.5 s one after the other",
    "     8.0 s  test/simulation",
    "     0.5 s  test/unit",
    "",
    "The files that take longest:",
    "     8.0 s  test/simulation/b.test.ts",
    "",
    "The tests that take longest:",
    "     7.9 s  test/simulation/b.test.ts: takes long",
  ]);
});
