// A command whose output nobody reads to its end, as `vast-provisioner logs | head -1`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";

const dist = join(import.meta.dirname, "../../dist");

test.each(["provisioner.mjs", "reloader.mjs"])(
  "%s prints no error when the reader of its output has ended",
  async (program) => {
    const child = spawn(process.execPath, [join(dist, program), "--help"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {},
    });
    child.stdout.destroy();
    let problems = "";
    child.stderr.on("data", (chunk) => {
      problems += chunk;
    });
    const [code] = await once(child, "close");
    expect({ code, problems }).toEqual({ code: 0, problems: "" });
  },
);
