// What the scripts of the program do to the simulated Redis, in JavaScript: one function for each script, by its name. Pure.
import { OFFER_MARKET_SCRIPTS } from "./offer-market-scripts.ts";
import { RECORD_SCRIPTS } from "./record-scripts.ts";
import { REPORT_SCRIPTS } from "./report-scripts.ts";
import type { Script } from "./script.ts";
import { SHARED_READING_SCRIPTS } from "./shared-reading-scripts.ts";
import { SNAPSHOT_SCRIPTS } from "./snapshot-scripts.ts";
import { TEMPLATE_SCRIPTS } from "./template-scripts.ts";
import { TURN_SCRIPTS } from "./turn-scripts.ts";

export const SCRIPTS: Readonly<Record<string, Script>> = {
  ...SHARED_READING_SCRIPTS,
  ...SNAPSHOT_SCRIPTS,
  ...OFFER_MARKET_SCRIPTS,
  ...REPORT_SCRIPTS,
  ...RECORD_SCRIPTS,
  ...TEMPLATE_SCRIPTS,
  ...TURN_SCRIPTS,
};
