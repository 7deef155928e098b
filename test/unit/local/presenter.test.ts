import { expect, test } from "vitest";
import { formatMessage, plain, present } from "../../local/presenter.ts";

const provisioner = (entry: Record<string, unknown>) =>
  present(
    "provisioner",
    JSON.stringify({ level: "info", time: "2026-11-23T15:00:00.000Z", app: "vast-provisioner", ...entry }),
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
  ["state", { state: "provisioning", reason: "no_instance" }, "looking"],
  ["stop", {}, "stopped"],
])("a line of event %s with %o is shown as %s", (event, fields, word) => {
  expect(provisioner({ event, ...fields, msg: "a sentence" })).toEqual({ word, text: "a sentence" });
});

test.each(["unavailable", "blocked"])("the state %s is shown by its own word", (state) => {
  expect(provisioner({ level: "warn", event: "state", state, reason: "x", msg: "why" })).toEqual({
    word: state,
    text: "why",
  });
});

test("a warning about an action is shown as a warning of the program", () => {
  const shown = provisioner({ level: "warn", event: "action", action: "create", msg: "nothing was created" });
  expect(shown).toEqual({ word: "provisioner", text: "warn: nothing was created" });
});

const reloader = (entry: Record<string, unknown>) =>
  present("reloader", JSON.stringify({ level: "info", app: "vast-reloader", ...entry }));

test("a reload is shown with the server that nginx was verified to use", () => {
  const server = { scheme: "http", host: "127.0.0.1", port: 28056 };
  expect(
    reloader({ generation: 5, server, hash: "432b", acceptedMs: 71, settledMs: 130, msg: "nginx reloaded" }),
  ).toEqual({
    word: "reloaded",
    text: "nginx routes to 127.0.0.1:28056 (130 ms)",
  });
});

test("a reload without a server is shown as 503", () => {
  const text = "nginx answers 503: no instance (90 ms)";
  expect(reloader({ server: null, acceptedMs: 50, settledMs: 90, msg: "nginx reloaded" })?.text).toBe(text);
});

test("a config that is not applied is shown with its problem", () => {
  const entry = { level: "warn", problem: "nginx runs not yet", msg: "the desired config is not applied" };
  expect(reloader(entry)?.text).toBe("warn: the desired config is not applied: nginx runs not yet");
});

test("a last line is shown without the fields for machines", () => {
  expect(plain('{"level":"info","time":"x","app":"vast-provisioner","msg":"searching an offer"}')).toBe(
    "info: searching an offer",
  );
  expect(plain("Segmentation fault")).toBe("Segmentation fault");
});

test("lines for machines are not shown", () => {
  expect(provisioner({ msg: "listening", event: "listen" })).toBeNull();
  expect(provisioner({ level: "debug", event: "progress", phase: "searching", msg: "64 offers" })).toBeNull();
  expect(present("reloader", "")).toBeNull();
});

test("a line that is not JSON, like an error at startup, is shown unchanged", () => {
  const text = "vast-reloader: 1 setting cannot be used:";
  expect(present("reloader", text)).toEqual({ word: "reloader", text });
  expect(present("reloader", '{"half":')).toEqual({ word: "reloader", text: '{"half":' });
});

test("a line shows the time since the start, the word and the text in columns", () => {
  expect(formatMessage(3249, { word: "creating", text: "offer 5000123, RTX 4090, $0.316/h" })).toBe(
    "    3.2s  creating     offer 5000123, RTX 4090, $0.316/h",
  );
});

test("further lines of a text are indented below the first", () => {
  const [first, second] = formatMessage(0, { word: "restarting", text: "nginx\n| [emerg]" }).split("\n");
  expect(second?.indexOf("|")).toBe(first?.indexOf("nginx"));
});

test("a stranger's text in a line does not control the terminal", () => {
  expect(provisioner({ event: "state", state: "blocked", reason: "x", msg: "it says \u001b[2Jhello" })?.text).toBe(
    "it says hello",
  );
});
