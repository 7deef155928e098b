import { describe, expect, test } from "vitest";
import { readAnswer } from "../../../../provisioner/vast/answer.ts";
import { accountTrouble, isOfferGone, isOutcomeUnknown, VastError } from "../../../../provisioner/vast/errors.ts";

const CALL = "PUT /api/v0/asks/1/";

/** The error that an answer becomes; an object is sent as JSON, a text as it stands. */
function errorOf(status: number, body: unknown): VastError {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  try {
    readAnswer(CALL, { status, text });
  } catch (error) {
    if (error instanceof VastError) return error;
    throw error;
  }
  throw new Error("the answer was taken for a success");
}

describe("a success", () => {
  test("is the body, with or without `success: true`", () => {
    expect(readAnswer(CALL, { status: 200, text: '{"offers":[]}' })).toEqual({ offers: [] });
    expect(readAnswer(CALL, { status: 200, text: '{"success":true,"new_contract":5}' })).toMatchObject({
      new_contract: 5,
    });
  });

  test("is also the answer to a search that finds no templates, although it says `success: false`", () => {
    const body = { success: false, msg: "No templates found" };
    expect(readAnswer(CALL, { status: 200, text: JSON.stringify(body) })).toEqual(body);
    expect(errorOf(404, body).kind).toBe("unavailable");
    expect(errorOf(200, { success: false, msg: "No templates found because of an error" }).kind).toBe("invalid");
  });

  test.each(["", "null", "[]", '"ok"', "<html>maintenance</html>"])(
    "is not a 200 whose body is no JSON object: %j",
    (text) => {
      const error = errorOf(200, text);
      expect(error.kind).toBe("malformed");
      expect(isOutcomeUnknown(error)).toBe(true);
    },
  );
});

describe("every form of an error body is read", () => {
  test.each([
    [{ success: false, error: "invalid_args", msg: "error 400/3467: Invalid args: x" }, "invalid_args", "3467"],
    [{ success: false, error: "no_such_ask", msg: "gone", ask_id: 123 }, "no_such_ask", "gone"],
    [{ error: "invalid_request", msg: "Invalid json body" }, "invalid_request", "Invalid json body"],
    [{ msg: "only msg" }, "", "only msg"],
    [{ message: "only message" }, "", "only message"],
    [{ detail: "only detail" }, "", "only detail"],
    [{ error: "only_error" }, "only_error", "only_error"],
    [{ error: { nested: 1 }, msg: 5, message: "usable" }, "", "usable"],
    ["plain text", "", "plain text"],
    ["<html><b>bad</b> request</html>", "", "bad request"],
  ])("%j", (body, slug, text) => {
    const error = errorOf(400, body);
    expect(error.slug).toBe(slug);
    expect(error.message).toContain(text);
    expect(error.message).toContain("PUT /api/v0/asks/1/: HTTP 400");
  });

  test("the text is truncated to a length that fits into a log line", () => {
    expect(errorOf(400, "x".repeat(100_000)).message.length).toBeLessThan(400);
  });
});

const msg = (error: string, text: string) => ({ success: false, error, msg: text });
const taken = "error 404/3603: no_such_ask Instance type by id 5 is not available.";

describe("each answer has its kind", () => {
  test.each([
    ["a wrong key as the API sends it live", 404, msg("auth_error", "Invalid user key"), "auth"],
    ["a wrong key as documented", 401, msg("auth_error", "Invalid user key"), "auth"],
    ["a call without a key", 403, msg("auth_error", "This action requires login."), "auth"],
    ["a call without a key and without a slug", 403, { msg: "This action requires login." }, "auth"],
    ["an expired session", 404, { msg: "Session expired. Please log in again." }, "auth"],
    ["an expired session with a slug", 404, msg("not_found", "Session expired. Please log in again."), "auth"],
    ["a wrong key without a slug", 404, { msg: "Invalid user key" }, "auth"],
    ["a missing right", 403, msg("not_authorized", "no"), "auth"],
    ["two-factor", 401, { msg: "This call needs a Two Factor Authentication login" }, "two_factor"],
    ["two-factor as a refused key", 401, msg("auth_error", "needs a Two Factor Authentication login"), "two_factor"],
    ["2FA in short", 401, { msg: "2FA required" }, "two_factor"],
    ["no credit", 400, msg("insufficient_credit", "low"), "no_credit"],
    ["no credit as bad arguments", 400, msg("invalid_args", "You lack credit, see the billing page."), "no_credit"],
    [
      "no credit, in the third person",
      400,
      msg("invalid_args", "Your account lacks credit; see the billing page."),
      "no_credit",
    ],
    ["no credit as other clients expect it", 402, {}, "no_credit"],
    ["no billing", 400, msg("missing_billing", "no"), "no_credit"],
    ["the spend limit", 400, msg("spend_rate_limit", "too fast"), "spend_limit"],
    ["a taken offer, live", 400, msg("invalid_args", taken), "offer_gone"],
    ["a taken offer, as documented", 404, msg("invalid_args", taken), "offer_gone"],
    ["a taken offer, short", 400, msg("no_such_ask", "ask is not available"), "offer_gone"],
    ["a taken offer, by its ask", 404, msg("no_such_ask", "No ask by id 5 is available."), "offer_gone"],
    ["a taken offer, by its ask, without a slug", 404, { msg: "No ask by id 5 is available." }, "offer_gone"],
    ["a foreign offer", 403, msg("invalid_args", "error 403/3586: Offer 5 is not your own. Hosts can"), "offer_gone"],
    [
      "an offer that cannot start",
      410,
      msg("no_such_ask", "error 410/3907: no_such_ask Instance type 5 is no longer available."),
      "offer_gone",
    ],
    ["a deprecated endpoint", 410, msg("deprecated_endpoint", "Use /api/v1/instances/ instead."), "invalid"],
    ["bad arguments", 400, msg("invalid_args", "error 400/3467: Invalid args: 'id' is required"), "invalid"],
    ["a bad price", 400, msg("invalid_price", "out of range"), "invalid"],
    ["a bad page token", 400, msg("invalid_token", "bad"), "invalid"],
    ["a redirect", 308, "", "invalid"],
    ["a missing instance", 404, msg("no_such_instance", "Instance 5 not found."), "not_found"],
    ["a missing thing", 404, msg("not_found", "Instance not found"), "not_found"],
    ["a missing instance without a slug", 404, { msg: "Instance 5 not found." }, "not_found"],
    ["none of the instances of a bulk destroy", 404, msg("instances_not_found", "x"), "not_found"],
    ["a web server that does not know the path", 404, { detail: "Not Found" }, "unavailable"],
    ["a JSON 404 that says nothing", 404, {}, "unavailable"],
    ["a 404 for something else", 404, { message: "no Route matched with those values" }, "unavailable"],
    ["throttling", 429, "API requests too frequent", "rate_limited"],
    ["throttling by slug", 400, msg("rate_limit_exceeded", "x"), "rate_limited"],
    ["a request timeout", 408, {}, "unavailable"],
    ["a conflict", 409, {}, "unavailable"],
    ["an early request", 425, {}, "unavailable"],
    ["a gateway error", 502, "<html>502 Bad Gateway</html>", "unavailable"],
    ["an overload", 503, "", "unavailable"],
    ["a gateway timeout", 504, "", "unavailable"],
    ["a firewall's page", 403, "<html><h1>403 Forbidden</h1></html>", "unavailable"],
    ["a firewall's word", 403, "error code: 1020", "unavailable"],
    ["a proxy's word for what it does not know", 404, "404 page not found", "unavailable"],
    ["nothing said of what is not there", 404, "", "unavailable"],
    ["a stranger's page for what is not there", 404, "<!DOCTYPE html><title>Not Found</title>", "unavailable"],
    ["a queued start with 200", 200, { success: false, msg: "state change queued." }, "invalid"],
    ["a queued start with 200 and a slug", 200, msg("resources_unavailable", "state change queued."), "invalid"],
    ["a reboot of what does not run, with 200", 200, msg("invalid_id", "Invalid instance id."), "invalid"],
    ["a state that does not exist", 200, { success: false, msg: "Invalid target state" }, "invalid"],
    ["templates that are not found, but with a slug", 200, msg("not_found", "No templates found"), "not_found"],
    ["a refused offer with 200", 200, msg("no_such_ask", "gone"), "offer_gone"],
  ] as const)("%s", (_, status, body, kind) => expect(errorOf(status, body).kind).toBe(kind));

  test("a hash that contains 2fa is not a two-factor error", () => {
    expect(errorOf(400, { msg: "template hash 4e172fab is not known" }).kind).toBe("invalid");
  });

  test("a gateway's page is not an answer of the API, whatever its text is: it is unknown what the API did", () => {
    const error = errorOf(503, "<html>This service is no longer available</html>");
    expect(isOfferGone(error)).toBe(false);
    expect(isOutcomeUnknown(error)).toBe(true);
  });
});

describe("what callers check", () => {
  test("account problems are recognized, other errors are not", () => {
    expect(accountTrouble(errorOf(402, {}))).toBe("no_credit");
    expect(accountTrouble(errorOf(400, {}))).toBeNull();
    expect(accountTrouble(new Error("x"))).toBeNull();
  });

  test("the outcome is unknown after a gateway's answer or another thrown value, but not after an error of the API", () => {
    expect(isOutcomeUnknown(errorOf(504, ""))).toBe(true);
    expect(isOutcomeUnknown(new Error("x"))).toBe(true);
    expect(isOutcomeUnknown(errorOf(429, ""))).toBe(false);
    expect(isOutcomeUnknown(errorOf(400, {}))).toBe(false);
  });

  test.each([200, 400, 500])("the contract id is read from a failed create with status %i", (status) => {
    expect(errorOf(status, { success: false, msg: "bid too low", new_contract: 42 }).contract).toBe(42);
    expect(errorOf(status, { success: false, new_contract: "42" }).contract).toBe(42);
    expect(errorOf(status, { success: false, new_contract: null }).contract).toBeNull();
  });

  test.each([
    ["API requests too frequent", null],
    ["API requests too frequent: endpoint threshold=2.0*1.0", 2000],
    ["API requests too frequent: endpoint threshold=4.5*2.0", 9000],
    [{ detail: "API requests too frequent endpoint threshold=4.5" }, 4500],
    [{ success: false, error: "rate_limit_exceeded", msg: "too frequent endpoint threshold=3.0" }, 3000],
    [{ detail: "too frequent", retry_after: 17 }, 17_000],
    [{ detail: "too frequent", retry_after: "17" }, 17_000],
    [{ detail: "threshold=30.0", retry_after: 17 }, 30_000],
    [{ detail: "too frequent", retry_after: -1 }, null],
  ])("a 429 contains how long to wait: %j", (body, wait) => expect(errorOf(429, body).retryAfterMs).toBe(wait));

  test("the endpoint's interval in a 429 is not mixed up with its wait", () => {
    expect(errorOf(429, "API requests too frequent: endpoint threshold=4.5*2.0").thresholdMs).toBe(9000);
    expect(errorOf(429, { detail: "too frequent", retry_after: 17 }).thresholdMs).toBeNull();
    expect(errorOf(400, msg("rate_limit_exceeded", "too frequent endpoint threshold=3.0"))).toMatchObject({
      thresholdMs: 3000,
      retryAfterMs: 3000,
    });
  });

  test.each([
    [429, "too frequent", true],
    [502, "<html>", true],
    [200, "<html>", true],
    [400, msg("invalid_args", "x"), false],
    [401, "", false],
    [402, {}, false],
  ])("HTTP %i %j may succeed when it is retried: %s", (status, body, retryable) => {
    expect(errorOf(status, body).retryable).toBe(retryable);
  });

  test("no other answer contains how long to wait", () => {
    expect(errorOf(503, { retry_after: 17 }).retryAfterMs).toBeNull();
  });

  test("secrets are removed from the text before it becomes an error", () => {
    const answer = { status: 400, text: JSON.stringify(msg("invalid_args", "image_login -u me -p hunter22 host")) };
    const clean = (text: string) => text.replaceAll("hunter22", "[secret]");
    expect(() => readAnswer(CALL, answer, clean)).toThrow("-u me -p [secret] host");
  });
});
