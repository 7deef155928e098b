import { expect, test } from "vitest";
import { accessLogFor } from "../../../../reloader/nginx/access-log.ts";

test.each([
  ["/var/log/nginx/access.log", "socket:[1]", null],
  ["/dev/stdout", "pipe:[1]", null],
  ["/dev/stdout", "/logs/out", null],
  ["/dev/stdout", null, null],
  ["/dev/stdout", null, 'nginx refused the config: open() "/var/log/x" failed (13: Permission denied)'],
  ["off", "socket:[1]", null],
])("nginx keeps the access log %s when its stdout is %s", (path, target, refusal) => {
  expect(accessLogFor(path, target, refusal)).toEqual({ path, warning: null });
});

test("the access log is off where nginx' stdout is a socket, which cannot be opened", () => {
  expect(accessLogFor("/dev/stdout", "socket:[1]", null)).toMatchObject({ path: "off", warning: expect.any(String) });
});

test("the access log is off after nginx has refused to open it", () => {
  const refusal = 'nginx refused the config: open() "/dev/stderr" failed (6: No such device or address)';
  expect(accessLogFor("/dev/stderr", null, refusal)).toMatchObject({
    path: "off",
    warning: expect.stringContaining("cannot be opened"),
  });
});
