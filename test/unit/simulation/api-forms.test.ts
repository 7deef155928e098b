import { expect, test } from "vitest";
import { seededRandom } from "../../emulator/random.ts";
import { DEFAULT_SETTINGS, settingsSchema } from "../../emulator/settings.ts";
import { drawForms } from "../../simulation/api-forms.ts";
import { faultMix } from "../../simulation/fault-mix.ts";

const SEEDS = Array.from({ length: 100 }, (_, i) => i + 1);

test("the emulator knows every form that is drawn", () => {
  for (const seed of SEEDS) {
    const settings = { ...DEFAULT_SETTINGS, ...drawForms(seededRandom(seed, "forms")) };
    expect(settingsSchema.safeParse(settings).error).toBeUndefined();
  }
});

test.each<[string, unknown[]]>([
  ["takenOfferStatus", [400, 404, 410, "no-ask"]],
  ["noCreditSlug", ["insufficient_credit", "invalid_args"]],
  ["noTemplates", ["empty-list", "success-false"]],
  ["showMissing", ["null", "404"]],
  ["badKeyStatus", [401, 404]],
  ["omittedLimit", [25, 5]],
])("the hard mix tries each form of %s", (name, forms) => {
  const drawn = new Set(SEEDS.map((seed) => faultMix(seed, { hours: 1, pods: 1 }).emulator[name]));
  expect([...drawn].sort()).toEqual([...forms].sort());
});

test("in the hard mix sessions expire, a search finds no template, and a destroy is refused by a 404 that is no `gone`", () => {
  const injections = SEEDS.flatMap((seed) => faultMix(seed, { hours: 5, pods: 5 }).injections);
  const texts = injections.map((injection) => JSON.stringify(injection));
  expect(texts.some((text) => text.includes('"sessionExpired":true'))).toBe(true);
  expect(texts.some((text) => text.includes("No templates found"))).toBe(true);
  expect(texts.some((text) => text.includes('"DELETE"') && text.includes("Session expired"))).toBe(true);
});
