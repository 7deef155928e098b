import { expect, test } from "vitest";
import { removeReports } from "../../../../provisioner/commands/remove-reports.ts";
import { vastError } from "../fakes.ts";

const removed = async (error: Error, readAccountId = async () => 17) => {
  const printed: string[] = [];
  const print = (text: string) => void printed.push(text);
  const evaluate = () => Promise.reject(error);
  await removeReports({ evaluate }, { client: { readAccountId }, labels: ["k8s_pod=vast-pod-0"], print });
  return printed;
};
const REMAINS = "status shows k8s_pod=vast-pod-0 as silent for up to a day, because the report in Redis remains: ";

test("that a report remains in Redis is said in words, whatever the client of Redis calls its trouble", async () => {
  expect(await removed(new Error("Failed to refresh slots cache."))).toEqual([`${REMAINS}Redis is unreachable`]);
  expect(await removed(new Error("WRONGPASS no"))).toEqual([`${REMAINS}Redis refuses the login`]);
});

test("that the account is unknown is said as the API says it", async () => {
  const failure = vastError("malformed");
  const printed = await removed(new Error("not asked"), () => Promise.reject(failure));
  expect(printed).toEqual([`${REMAINS}${failure.message}`]);
});
