import { expect, test } from "vitest";
import { fail, ok, skip, warn } from "../../../../provisioner/doctor/findings.ts";
import { doctorNames } from "../../../../provisioner/doctor/screen.ts";

test("the names are the checks that failed or warn, each once", () => {
  const findings = [
    ok("key", "a"),
    fail("query", "b", "c"),
    fail("query", "d", "e"),
    warn("forms", "f", "g"),
    skip("nginx", "h"),
  ];
  expect(doctorNames(findings)).toBe("query\nforms\n");
  expect(doctorNames([ok("key", "a")])).toBe("");
});
