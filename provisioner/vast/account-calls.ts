// What the API says about the money of an account: announced prices, and what was charged. Touches the API through the function that it is
// given. Neither is needed to run a pod, and a key may lack the right to read it.
import * as z from "zod";
import type { Fence } from "../../common/http.ts";
import { expectShape, malformed, wholeNumber } from "./checks.ts";
import type { Send } from "./transport.ts";

/** The host of an instance asks for another price: until it is accepted, the contract keeps its price and its end. */
export interface PriceIncrease {
  id: number;
  instanceId: number;
  /** What it asks for the GPUs, in relation to the price now: 1.25 is a quarter more. Null: the API does not tell the price now. */
  factor: number | null;
  /** What it asks for each GPU, $ an hour. */
  gpuDollarsPerHour: number;
  /** When the contract ends if it is not accepted, epoch ms. */
  endsAt: number | null;
  /** Disk, traffic or fees become dearer as well, or may do: what that costs an hour is not known. */
  otherCosts?: true | undefined;
}

/** $ that were charged, traffic included, by label. */
export type Charges = Readonly<Record<string, number>>;

const INCREASES = "GET /api/v0/instances/pending-price-increases/";
const CHARGES = "GET /api/v0/charges/";
const SECONDS_AN_HOUR = 3600;
const CHARGES_PAGE = 500; // the API's largest
// More than ten thousand rows in a month are not worth the calls.
const MOST_PAGES = 20;

const number = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/)
    .transform(Number),
]);
const looseRow = z.looseObject({});
const increases = z.object({ pending_price_increases: z.array(z.unknown()) });
const increase = z.object({
  pending_price_increase_id: wholeNumber,
  contract_id: wholeNumber,
  new_gpu_costpersec: number,
  // The vendor's client takes it for optional.
  old_gpu_costpersec: number.nullish().catch(null),
  contract_end_date: number.nullish().catch(null),
});

// Null: this price stays.
const OTHER_COSTS = ["disk_ram_costpersec", "bwu_cost", "bwd_cost", "platform_fee"] as const;

/** A price that cannot be read may be a higher one. */
function raisesOtherCosts(row: Readonly<Record<string, unknown>>): boolean {
  return OTHER_COSTS.some((name) => {
    const wanted = row[`new_${name}`] ?? null;
    if (wanted === null) return false;
    const [after, before] = [number.safeParse(wanted), number.safeParse(row[`old_${name}`])];
    return !after.success || !before.success || after.data > before.data;
  });
}

/** Those of all instances of the account. A row that cannot be read is left out: it only announces something. */
export async function readPriceIncreases(send: Send, signal?: AbortSignal): Promise<PriceIncrease[]> {
  const path = "/api/v0/instances/pending-price-increases/";
  const body = await send({ method: "GET", path, endpoint: "price_increases", retryRateLimited: false }, signal);
  const rows = expectShape(increases, body, INCREASES, "`pending_price_increases` is not a list");
  return rows.pending_price_increases.flatMap((row) => {
    const read = increase.safeParse(row);
    if (!read.success) return [];
    const { data } = read;
    const { new_gpu_costpersec: asked, old_gpu_costpersec: before } = data;
    const factor = before != null && before > 0 ? asked / before : null;
    return {
      id: data.pending_price_increase_id,
      instanceId: data.contract_id,
      factor,
      gpuDollarsPerHour: asked * SECONDS_AN_HOUR,
      endsAt: data.contract_end_date == null ? null : data.contract_end_date * 1000,
      ...(factor === null || raisesOtherCosts(looseRow.parse(row)) ? { otherCosts: true as const } : {}),
    };
  });
}

/** Accepts what a host asks for. It may be repeated: what is accepted is not pending any more. */
export async function acceptIncrease(send: Send, id: number, fence: Fence, signal?: AbortSignal): Promise<void> {
  const path = "/api/v0/instances/accept-price-increase/";
  const body = { pending_price_increase_id: id };
  await send({ method: "PUT", path, body, endpoint: "accept_price", retryRateLimited: false, fence }, signal);
}

const charge = z.object({
  amount: number,
  metadata: z
    .object({ label: z.string().nullish().catch(null) })
    .nullish()
    .catch(null),
});
const chargesPage = z.object({ results: z.array(charge), next_token: z.string().nullish() });

/** The forms of the answers and of their rows, to compare the API's with. */
export const ACCOUNT_FORMS = {
  increases,
  increase,
  charges: chargesPage.extend({ results: z.array(z.unknown()) }),
  charge,
};

/** What was charged for instances from one day to another, epoch ms. Throws unless all pages were read. */
export async function readCharges(send: Send, from: number, to: number, signal?: AbortSignal): Promise<Charges> {
  const filters = { day: { gte: Math.floor(from / 1000), lte: Math.floor(to / 1000) }, type: { in: ["instance"] } };
  const sums: Record<string, number> = {};
  let token: string | null = null;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const query = { select_filters: filters, format: "table", latest_first: "true", limit: String(CHARGES_PAGE) };
    const body: Record<string, unknown> = await send(
      {
        method: "GET",
        path: "/api/v0/charges/",
        query: token === null ? query : { ...query, after_token: token },
        endpoint: "charges",
        retryRateLimited: false,
      },
      signal,
    );
    const page: z.infer<typeof chargesPage> = expectShape(
      chargesPage,
      body,
      CHARGES,
      "`results` is not a list of amounts",
    );
    for (const { amount, metadata } of page.results) {
      const label = metadata?.label ?? "";
      sums[label] = (sums[label] ?? 0) + amount;
    }
    if (!page.next_token) return sums;
    token = page.next_token;
  }
  throw malformed(CHARGES, `there are more than ${MOST_PAGES} pages`);
}
