// Wires the Vast.ai account for a command: pacing, transport and client. Touches nothing until the client makes a call.
import type { Clock } from "../../common/clock.ts";
import { type ClientOptions, createVastClient, type VastClient } from "../vast/client.ts";
import { createPacing, type Pacing } from "../vast/pacing.ts";
import { createTransport, type TransportOptions } from "../vast/transport.ts";

export interface AccountOptions extends Omit<TransportOptions, "pacing"> {
  clock: Clock;
  /** Returns 0 to 1. */
  random: () => number;
  client?: Omit<ClientOptions, "apiKey">;
}

/** `pacing` is the client's: it spaces the calls of each endpoint. */
export interface Account {
  client: VastClient;
  pacing: Pacing;
}

export function connectAccount({ random, client: clientOptions, ...transport }: AccountOptions): Account {
  const pacing = createPacing(transport.clock, random);
  const { apiKey } = transport;
  return { client: createVastClient(createTransport({ ...transport, pacing }), { ...clientOptions, apiKey }), pacing };
}
