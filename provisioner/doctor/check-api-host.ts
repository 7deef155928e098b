// Whether a server answers at the address of the API, and how far this machine's clock is from its own. Touches the network.
import { type Clock, withDeadline } from "../../common/clock.ts";
import { codeOf } from "../../common/errors.ts";
import { createHttpClient } from "../../common/http.ts";
import { type Finding, fail, ok, skip, warn } from "./findings.ts";

const DEADLINE_MS = 8000;
// The header has whole seconds, and the answer takes a while.
const ROUNDING_MS = 1000;
// Ages and contract ends are computed with this machine's clock, and certificates are checked by it.
const WARN_SKEW_MS = 10_000;

/** One request without the key. Any answer proves that the server is reached. */
export async function checkApiHost(baseUrl: string, clock: Clock, signal: AbortSignal): Promise<Finding[]> {
  const startedAt = clock.now();
  const ticks = clock.monotonic();
  try {
    const date = await withDeadline(clock, DEADLINE_MS, signal, async (deadline) => {
      const { headers } = await createHttpClient().head(baseUrl, { signal: deadline });
      return Date.parse(String(headers.date));
    });
    const took = clock.monotonic() - ticks;
    return [
      ok("api", `${baseUrl} answers in ${Math.round(took)} ms`),
      Number.isNaN(date) ? skip("clock", "the API sends no date to compare with") : judgeClock(startedAt, took, date),
    ];
  } catch (error) {
    const code = codeOf(error) ?? "no answer";
    const why = code === "ERR_CANCELED" ? `no answer within ${DEADLINE_MS / 1000} s` : code;
    return [
      fail("api", `${baseUrl} cannot be reached (${why})`, remedyFor(code)),
      skip("clock", "no date to compare with"),
    ];
  }
}

function judgeClock(startedAt: number, took: number, date: number): Finding {
  // The server's clock was at `date` at some moment of the request, give or take the part of a second that the header lacks.
  const early = startedAt - (date + ROUNDING_MS);
  const late = date - (startedAt + took);
  const skewMs = Math.max(0, early, late);
  const text =
    skewMs === 0 ? "as the API's" : `${Math.round(skewMs / 1000)} s ${early > 0 ? "ahead of" : "behind"} the API's`;
  if (skewMs <= WARN_SKEW_MS) return ok("clock", text);
  return warn("clock", text, "set the clock of this machine (NTP): ages of instances and offers are computed with it");
}

function remedyFor(code: string): string {
  if (/CERT|UNABLE_TO_/.test(code))
    return "set NODE_EXTRA_CA_CERTS to a file with the certificate authority of that server";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "check the name in VAST_URL, and DNS on this machine";
  return "check VAST_URL, HTTPS_PROXY, and the firewall or network policy of this machine";
}
