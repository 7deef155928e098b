import { expect, test } from "vitest";
import { ok } from "../../../../provisioner/doctor/findings.ts";
import { runChecks } from "../../../../provisioner/doctor/run-checks.ts";
import { doctorText } from "../../../../provisioner/doctor/screen.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

const check = (name: string, run: (signal: AbortSignal) => Promise<never[] | ReturnType<typeof ok>[]>) => ({
  name,
  deadlineMs: 5000,
  run,
});

test("one check that hangs or fails does not hide the others, and their order stays", async () => {
  const clock = fakeClock();
  const started = clock.now();
  let aborted = false;
  const findings = await clock.drive(
    runChecks(
      [
        check("hangs", (signal) => {
          signal.addEventListener("abort", () => {
            aborted = true;
          });
          return new Promise(() => undefined);
        }),
        check("throws", async () => {
          throw new Error("a defect");
        }),
        check("works", async () => [ok("works", "fine")]),
      ],
      clock,
    ),
  );
  expect(findings.map(({ check, verdict, message }) => `${check} ${verdict}: ${message}`)).toEqual([
    "hangs fail: not checked: no answer within 5000 ms",
    "throws fail: not checked: a defect",
    "works ok: fine",
  ]);
  expect(aborted).toBe(true);
  expect(clock.now() - started).toBe(5000);
});

test("a stranger's text cannot control the terminal", () => {
  const text = doctorText([ok("key", "a\u001b[2J\nb\u0007")], (_, plain) => plain);
  expect(text).toBe("ok    key  a b\nnothing is wrong\n");
});
