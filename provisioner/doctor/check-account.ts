// Makes the reads that the provisioner depends on, and judges what they answered. Touches the API, and changes nothing.
import { type Clock, withDeadline } from "../../common/clock.ts";
import type { Bid } from "../model/bid.ts";
import type { Ban, Seen } from "../model/observation.ts";
import type { SearchQuery } from "../search/query.ts";
import { queryAlone, requirements } from "../search/requirements.ts";
import type { VastClient } from "../vast/client.ts";
import { accountTrouble, VastError } from "../vast/errors.ts";
import type { Template } from "../vast/rows.ts";
import { type Answer, judgeInstances, judgeKey, judgeMoney, judgeRights, remedyOf, type TriedRead } from "./account.ts";
import { type Finding, fail, skip } from "./findings.ts";
import { judgeForms } from "./forms.ts";
import { judgeQuery, sampleBody } from "./query.ts";
import type { Recorder } from "./recorder.ts";
import { judgeTemplate, type TemplateSettings } from "./template.ts";

/** Settings that could not be read are undefined or null. */
export interface AccountParts {
  client: Pick<
    VastClient,
    | "readAccountId"
    | "readCredit"
    | "listAccount"
    | "listInstances"
    | "findTemplate"
    | "searchOffers"
    | "priceIncreases"
    | "charges"
  >;
  recorder: Pick<Recorder, "bodiesOf">;
  clock: Clock;
  label: string | null;
  template: (Omit<TemplateSettings, "name"> & { name: string | undefined }) | null;
  query: SearchQuery | undefined;
  /** The query is written as JSON. */
  isJson: boolean;
  maxDollarsPerHour: number | undefined;
  /** What is bid; undefined: instances are rented on demand. */
  bid: Bid | undefined;
  bans: Promise<Seen<readonly Ban[]>>;
}

// A read answers within a second or two, after a wait of 6 s for the rate limit of a second search.
const READ_DEADLINE_MS = 15_000;
const MS_PER_DAY = 86_400_000;
const INCREASES = "GET /api/v0/instances/pending-price-increases/";
// What is searched for while the template is unknown: one that publishes one port.
const USUAL_TEMPLATE = { id: 0, hash: "", name: "", creatorId: null, diskSpace: null, publishedPorts: 1 };

export async function checkAccount(parts: AccountParts, stop: AbortSignal): Promise<Finding[]> {
  const { client, recorder, label } = parts;
  const attempt = attemptsOf(parts.clock, stop);
  const reading = {
    account: attempt(async (signal) => {
      const [id, credit] = await Promise.all([client.readAccountId(signal), client.readCredit(signal)]);
      return { id, credit };
    }),
    // One after the other: both have one rate limit.
    instances: attempt(async (signal) => {
      const { lists } = await client.listAccount(signal);
      if (label !== null) await client.listInstances(label, signal);
      return [...lists.values()].flatMap((rows) => {
        if (rows instanceof VastError) throw rows;
        return rows;
      });
    }),
    template: attempt(async (signal) => {
      const name = parts.template?.name;
      return name === undefined ? undefined : client.findTemplate(name, signal);
    }),
    increases: attempt((signal) => client.priceIncreases(signal)),
    charges: attempt((signal) => {
      const now = parts.clock.now();
      return client.charges(now - MS_PER_DAY, now, signal);
    }),
  };
  const searching = reading.template.then((template) =>
    searchMarket(parts, "value" in template ? (template.value ?? null) : null, attempt),
  );
  const [account, instances, template, increases, charges, market] = await Promise.all([
    reading.account,
    reading.instances,
    reading.template,
    reading.increases,
    reading.charges,
    searching,
  ]);
  const reads: TriedRead[] = [
    { right: "user_read", answer: account },
    { right: "user_read", answer: template },
    { right: "instance_read", answer: instances },
    ...(market === null ? [] : [{ right: "misc", answer: market.search } as const]),
  ];
  const key = judgeKey(account, instances);
  // A key that is refused is one fault, not one for each read. A search needs no key, but a wrong one is refused there too.
  const refused = "error" in account && accountTrouble(account.error) !== null;
  const ofAccount = refused
    ? [skip("instances", "see key"), skip("template", "see key")]
    : [...judgeRights(reads), judgeInstances(instances, label), ...templateFindings(parts, template)];
  return [
    key,
    ...ofAccount,
    ...queryFindings(market, refused),
    ...(refused
      ? []
      : judgeMoney(
          increases,
          charges,
          recorder.bodiesOf(INCREASES).some(({ truncated }) => truncated === true),
        )),
    ...judgeForms(recorder.bodiesOf),
  ];
}

function queryFindings(market: Market | null, keyRefused: boolean): Finding[] {
  if (market === null) return [skip("query", "VAST_SEARCH_QUERY cannot be read: see settings")];
  const searchRefused = "error" in market.search && accountTrouble(market.search.error) !== null;
  return keyRefused && searchRefused ? [skip("query", "see key")] : market.findings();
}

function templateFindings(
  { template: settings, recorder }: AccountParts,
  answer: Answer<Template | null | undefined>,
): Finding[] {
  if (settings === null || settings.name === undefined)
    return [skip("template", "VAST_TEMPLATE_NAME cannot be read: see settings")];
  if ("error" in answer) return [fail("template", answer.error.message, remedyOf(answer.error))];
  const template = answer.value ?? null;
  const rows = recorder
    .bodiesOf("GET /api/v0/template/")
    .flatMap(({ templates }) => (Array.isArray(templates) ? templates : []));
  const row: unknown = rows.find((one) => Number(one?.id) === template?.id);
  return judgeTemplate(template, row ?? {}, { ...settings, name: settings.name });
}

interface Market {
  search: Answer<unknown>;
  findings: () => Finding[];
}

/** Null without a query. */
async function searchMarket(parts: AccountParts, template: Template | null, attempt: Attempt): Promise<Market | null> {
  const { client, query, isJson, maxDollarsPerHour, bid } = parts;
  if (query === undefined) return null;
  const bans = await parts.bans;
  const needs = requirements(template ?? USUAL_TEMPLATE, maxDollarsPerHour, bans.known ? bans.value : [], bid);
  const search = await attempt(async (signal) => {
    const found = await client.searchOffers(queryAlone(query, needs), signal);
    const sample = found.length > 0 ? [] : await client.searchOffers(sampleBody(query, needs), signal);
    return { found, sample };
  });
  if ("error" in search) {
    const { error } = search;
    const remedy = error.kind === "invalid" ? "correct VAST_SEARCH_QUERY or VAST_SEARCH_ORDER" : remedyOf(error);
    return { search, findings: () => [fail("query", error.message, remedy)] };
  }
  return { search, findings: () => judgeQuery(query, isJson, needs, search.value) };
}

type Attempt = <T>(read: (signal: AbortSignal) => Promise<T>) => Promise<Answer<T>>;

/** Each read has its own deadline, and its error stands in its own line. */
function attemptsOf(clock: Clock, stop: AbortSignal): Attempt {
  return async (read) => {
    try {
      return { value: await withDeadline(clock, READ_DEADLINE_MS, stop, read) };
    } catch (error) {
      if (error instanceof VastError) return { error };
      throw error;
    }
  };
}
