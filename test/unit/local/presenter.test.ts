import { expect, test } from "vitest";
import { formatShown, present } from "../../../deploy/local/presenter.ts";

const provisioner = (entry: Record<string, unknown>) =>
  present(
    "provisioner",
    JSON.stringify({ level: "info", time: "2026-11-23T15:00:00.000Z", app: "provisioner", ...entry }),
  );

test.each([
  ["progress", { phase: "searching" }, "searching"],
  ["progress", { phase: "creating", offer: 5000123 }, "creating"],
  ["action", { action: "create" }, "created"],
  ["action", { action: "destroy" }, "destroying"],
  ["state", { state: "provisioning", reason: "confirming_none" }, "looking"],
  ["state", { state: "provisioning", reason: "instance_starting" }, "loading"],
  ["state", { state: "ready", reason: "instance_ready" }, "ready"],
  ["state", { state: "provisioning", reason: "image_changed" }, "replacing"],
  ["stop", {}, "stopped"],
])("a line of event %s with %o is told as %s", (event, fields, word) => {
  expect(provisioner({ event, ...fields, msg: "a sentence" })).toEqual({ word, text: "a sentence" });
});

test.each(["unavailable", "blocked"])("the state %s is told by its own word", (state) => {
  expect(provisioner({ level: "warn", event: "state", state, reason: "x", msg: "why" })).toEqual({
    word: state,
    text: "why",
  });
});

test("a warning about an action is told as the program's warning", () => {
  const shown = provisioner({ level: "warn", event: "action", action: "create", msg: "nothing was created" });
  expect(shown).toEqual({ word: "provisioner", text: "warn: nothing was created" });
});

test("lines for machines are left out", () => {
  expect(provisioner({ msg: "listening", event: "listen" })).toBeNull();
  expect(provisioner({ level: "debug", event: "progress", phase: "searching", msg: "64 offers" })).toBeNull();
  expect(present("reloader", "")).toBeNull();
});

test("what is no JSON line, like an error at the start, is shown as it stands", () => {
  const text = "vast-reloader: 1 setting cannot be used:";
  expect(present("reloader", text)).toEqual({ word: "reloader", text });
  expect(present("reloader", '{"half":')).toEqual({ word: "reloader", text: '{"half":' });
});

test("a line shows the time since the start, the word and the text in columns", () => {
  expect(formatShown(3249, { word: "creating", text: "offer 5000123, RTX 4090, $0.316/h" })).toBe(
    "   3.2s  creating     offer 5000123, RTX 4090, $0.316/h",
  );
});

test("further lines of a text stand below the first", () => {
  const [first, second] = formatShown(0, { word: "restarting", text: "nginx\n| [emerg]" }).split("\n");
  expect(second?.indexOf("|")).toBe(first?.indexOf("nginx"));
});
