// The scripts of the reports for `status`, for the simulated Redis. Pure.
import { heldBy, heldValue, putValue, type Script } from "./script.ts";

type Reports = Map<string, string>;

const atOf = (text: string) => Number(/^\{"at":(\d+)/.exec(text)?.[1] ?? 0);

export const REPORT_SCRIPTS: Readonly<Record<string, Script>> = {
  "put report"(values, [reportsKey, sweptKey], [label, report, forgottenMs, sweepMs, observer, silentMs], now) {
    const reports = heldBy<Reports>(values, reportsKey, now, () => new Map());
    const before = reports.get(String(label)) ?? "";
    const isObserver = /^\{"at":\d+,"observer":true/.test(before);
    if (Number(observer) === 1 && !isObserver && now - atOf(before) <= Number(silentMs)) return 0;
    reports.set(String(label), `{"at":${now},${String(report).slice(1)}`);
    putValue(values, reportsKey, reports, now + Number(forgottenMs));
    if (heldValue(values, sweptKey, now) === null) {
      putValue(values, sweptKey, "1", now + Number(sweepMs));
      for (const [one, text] of reports) if (now - atOf(text) > Number(forgottenMs)) reports.delete(one);
    }
    return 1;
  },
  "remove report"(values, [reportsKey], [label], now) {
    return heldValue<Reports>(values, reportsKey, now)?.delete(String(label)) ? 1 : 0;
  },
  "read reports"(values, [reportsKey], _, now) {
    return [String(now), [...(heldValue<Reports>(values, reportsKey, now) ?? [])].flat()];
  },
};
