// The page's money: what it costs, has cost and how long it lasts. Pure.
import type { StatusDocument } from "../report/status-document.ts";
import { dollarsText, NOT_KNOWN, perHourText, shortDuration } from "../screens/amounts.ts";
import { type Html, html } from "./html.ts";
import type { TimeWriter } from "./instants.ts";
import { creditHours } from "./warnings.ts";

// 365 days by 12.
const HOURS_A_MONTH = 730;

export function moneyPart(status: StatusDocument, when: TimeWriter): Html {
  const { budget, money } = status;
  const { billed, creditAt, dollarsPerHour, maxDollarsPerHour, paidDollars, since, wastedDollars } = money;
  const isAbove = dollarsPerHour !== null && maxDollarsPerHour !== null && dollarsPerHour > maxDollarsPerHour;
  const hours = creditHours(status);
  const share = paidDollars >= 0.01 ? `${Math.round((100 * wastedDollars) / paidDollars)}% of it, ` : "";
  return html`<h2>Money <small>estimates from the listed price, without traffic</small></h2>
<dl class="tiles">
${tile("price now", perHourText(dollarsPerHour), html`limit ${maxDollarsPerHour === null ? "none" : perHourText(maxDollarsPerHour)}`, isAbove ? "bad" : "")}
${tile("a month at this rate", dollarsText(dollarsPerHour === null ? null : dollarsPerHour * HOURS_A_MONTH), html`730 hours`)}
${tile("this instance", money.instanceDollars === null ? "–" : dollarsText(money.instanceDollars), html`so far`)}
${tile("paid", dollarsText(since === null ? null : paidDollars), since === null ? html`not counted yet` : html`in ${when(since, "for")}, failed instances included`)}
${tile("wasted", dollarsText(since === null ? null : wastedDollars), html`${share}while nothing was served`, wastedDollars >= 0.01 ? "warn" : "")}
${tile("billed by Vast", dollarsText(billed?.dollars ?? null), billed === null ? html`not known` : html`in ${when(billed.since, "for")}, with traffic`)}
${tile(
  "credit of the account",
  dollarsText(money.creditDollars),
  html`${hours === null ? "" : `lasts ${lasting(hours)} for this pod alone, `}${
    creditAt === null ? "not read yet" : html`read ${when(creditAt, "ago")}`
  }`,
  hours !== null && hours < 24 ? "bad" : "",
)}
${tile(
  "creates left this hour",
  html`${budget.createsLeft} <small>of ${budget.createsPerHour}</small>`,
  budget.createsLeft > 0 || budget.freeAt === null ? html`` : html`one more ${when(budget.freeAt, "in")}`,
  budget.createsLeft > 0 ? "" : "warn",
)}
</dl>`;
}

function lasting(hours: number): string {
  return hours > 12 * HOURS_A_MONTH ? "over a year" : shortDuration(hours * 3_600_000);
}

function tile(name: string, value: string | Html, note: Html, tone = ""): Html {
  const unknown = value === NOT_KNOWN ? "unknown" : "";
  return html`<div class="${tone} ${unknown}"><dt>${name}</dt><dd>${value}</dd><dd class="note">${note}</dd></div>`;
}
