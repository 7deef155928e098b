// A program of its own for tests of what Node reads once at its start: makes one call of the API at the given base and prints
// what came of it as JSON. The key comes from its environment.
import { systemClock } from "../../../../common/clock.ts";
import { VastError } from "../../../../provisioner/vast/errors.ts";
import { createPacing } from "../../../../provisioner/vast/pacing.ts";
import { createTransport } from "../../../../provisioner/vast/transport.ts";

const send = createTransport({
  baseUrl: process.argv[2] ?? "",
  apiKey: () => process.env.ONE_CALL_KEY ?? "",
  clock: systemClock,
  pacing: createPacing(systemClock, Math.random),
});
try {
  const body = await send({ method: "GET", path: "/api/v0/users/current/", endpoint: "user" });
  process.stdout.write(JSON.stringify({ body }));
} catch (error) {
  if (!(error instanceof VastError)) throw error;
  process.stdout.write(JSON.stringify({ error: { ...error, message: error.message } }));
}
