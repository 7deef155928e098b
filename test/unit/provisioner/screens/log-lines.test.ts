import { expect, test } from "vitest";
import { logLines } from "../../../../provisioner/screens/log-lines.ts";

test.each([
  ["HF_TOKEN=hf_abcdef", "HF_TOKEN=[secret]"],
  ['{"api_key": "sk-123", "model": "a"}', '{"api_key": "[secret]", "model": "a"}'],
  ["Authorization: Bearer eyJhbGciOi.x", "Authorization: Bearer [secret]"],
  ["curl -H 'X: Bearer abcdefgh12'", "curl -H 'X: Bearer [secret]'"],
  ["password=hunter2&user=a", "password=[secret]&user=a"],
  ["pulling from https://me:pw@registry.example/app", "pulling from https://[secret]@registry.example/app"],
  ["the known-secret of the settings", "the [secret] of the settings"],
])("%j is shown as %j", (line, shown) => {
  expect(logLines(`${line}\n`, ["known-secret"])).toEqual([shown]);
});

test.each(["prompt tokens: 45", "listening on 8000", "http://127.0.0.1:8000/a@b", "tokenizer: fast"])(
  "%j stays",
  (line) => {
    expect(logLines(line, [])).toEqual([line]);
  },
);

test("nothing in the log controls the terminal, and its lines stay lines", () => {
  expect(logLines("\u001b[2Ja\r\n\tb\u0007\n\nc\n", [])).toEqual(["a", "\tb", "", "c"]);
  expect(logLines("", [])).toEqual([]);
});

test("a control sequence inside a secret does not save it", () => {
  expect(logLines("known-\u001b[31msecret", ["known-secret"])).toEqual(["[secret]"]);
});
