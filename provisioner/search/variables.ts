// The settings of the search and of the price: name, default, meaning and parser. Pure.
import * as z from "zod";
import { boolean, dollars, seconds, secondsOrNone } from "../../common/variable-parsers.ts";
import { byDefault, EXPECTED, optional, required, type VariableTable } from "../../common/variables.ts";
import { BID_FALLBACKS, type Bid, INSTANCE_TYPES, LEAST_BID, MOST_BID } from "../model/bid.ts";
import { PRICE_INCREASES } from "../model/desired.ts";
import { readOrder } from "./order.ts";
import { readQuery } from "./query.ts";
import { QueryError } from "./query-error.ts";

/** A parser of the search as a schema. Its message, with the position of the mistake, becomes part of the problem. */
const searchText = <T>(read: (text: string) => T) =>
  z.string().transform((value, context): T => {
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  });

const MOST_FACTOR = 10;
const bid = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,6})?x?$/)
  .transform((value): Bid => {
    return value.endsWith("x") ? { factor: Number(value.slice(0, -1)) } : { dollarsPerHour: Number(value) };
  })
  .refine((one) =>
    "factor" in one
      ? one.factor >= 1 && one.factor <= MOST_FACTOR
      : one.dollarsPerHour >= LEAST_BID && one.dollarsPerHour <= MOST_BID,
  );

export const SEARCH_VARIABLES = {
  VAST_SEARCH_QUERY: required(
    searchText((value) => readQuery(value)),
    {
      group: "required",
      meaning: "offer search: JSON filters (also `order`, `type`, `limit`) or a query as in `vastai search offers`",
      expects:
        'a JSON object of filters like {"gpu_name": {"eq": "RTX 4090"}, "order": [["dph_total", "asc"]]}, or a query like gpu_name=RTX_4090 num_gpus=1',
    },
  ),
  VAST_SEARCH_ORDER: optional(
    searchText(readOrder),
    {
      group: "search",
      meaning: "order as in `vastai search offers -o` (`dph`, `num_gpus,dlperf-`), or `expected_cost`",
      expects:
        "fields separated by commas, each with a dash behind it for descending, like dph or num_gpus,dlperf-; or expected_cost",
    },
    "the query's, else the API's",
  ),
  VAST_SEARCH_ALLOW_UNKNOWN: byDefault(boolean, "false", {
    group: "search",
    meaning: "`true`: send fields of query and order that the API may not know; `false`: refuse them",
    expects: EXPECTED.boolean,
  }),
  VAST_MAX_DPH: optional(dollars, {
    group: "search",
    meaning: "highest price of a new instance in $/h; a running instance above it only raises a metric",
    expects: "dollars per hour, like 0.45",
  }),
  VAST_MIN_DURATION_SECONDS: optional(
    seconds,
    {
      group: "search",
      meaning: "an offer must last so long; in any case VAST_END_MARGIN_SECONDS and an hour",
      expects: EXPECTED.seconds,
    },
    "a day, unless the query has duration or end_date",
  ),
  VAST_END_MARGIN_SECONDS: byDefault(secondsOrNone, "900", {
    group: "search",
    meaning: "an instance is replaced so long before its contract ends; `0`: when it has ended",
    expects: EXPECTED.secondsOrNone,
  }),
  VAST_PRICE_INCREASE: byDefault(z.enum(PRICE_INCREASES), "never", {
    group: "search",
    meaning: "a host's higher price: `never` accept it, or `accept-under-max` (not above VAST_MAX_DPH, which it needs)",
    expects: "never or accept-under-max",
  }),
  VAST_INSTANCE_TYPE: byDefault(z.enum(INSTANCE_TYPES), "ondemand", {
    group: "search",
    meaning:
      "`interruptible`: rent with a bid, often for half the price; a higher bid stops the instance. Needs VAST_MAX_DPH",
    expects: "ondemand or interruptible",
  }),
  VAST_BID: byDefault(bid, "1.2x", {
    group: "search",
    meaning:
      "what is bid for the GPUs in $/h, or so many times the smallest bid; with the disk never above VAST_MAX_DPH",
    expects: "dollars per hour, like 0.25, or a factor of the smallest bid from 1x to 10x, like 1.2x",
  }),
  VAST_BID_FALLBACK: byDefault(z.enum(BID_FALLBACKS), "ondemand", {
    group: "search",
    meaning:
      "after three failed bids within an hour: rent `ondemand`, not above VAST_MAX_DPH, or go on bidding (`none`)",
    expects: "ondemand or none",
  }),
} as const satisfies VariableTable;
