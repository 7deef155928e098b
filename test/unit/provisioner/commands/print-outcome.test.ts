import { expect, test } from "vitest";
import type { OutputFormat } from "../../../../common/command.ts";
import { printFor, printOutcome } from "../../../../provisioner/commands/print-outcome.ts";

test.each<[OutputFormat, string, string]>([
  ["table", "done\n", ""],
  ["wide", "done\n", ""],
  ["json", '{"gone":[7,8]}\n', "done\n"],
  ["name", "7\n8\n", "done\n"],
])("with -o %s stdout has %j", (output, out, err) => {
  const printed = { out: "", err: "" };
  const terminal = {
    out(text: string) {
      printed.out += text;
    },
    err(text: string) {
      printed.err += text;
    },
    width: () => 80,
    paint: (_: string, text: string) => text,
  };
  printFor({ terminal, output })("done");
  printOutcome({ terminal, output }, { gone: [7, 8] }, [7, 8]);
  expect(printed).toEqual({ out, err });
});
