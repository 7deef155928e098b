import { describe, expect, test } from "vitest";
import { readQuery } from "../../../../provisioner/search/query.ts";

const warningsOf = (text: string) => readQuery(text).warnings;

describe("a condition in the wrong unit is pointed out", () => {
  test.each([
    ['{"gpu_ram":{"gte":24}}', "gpu_ram gte 24 means 24 MB: probably 24000 was meant"],
    ['{"gpu_ram":{"lte":"80"}}', "gpu_ram lte 80 means 80 MB: probably 80000 was meant"],
    ['{"gpu_ram":{"in":[24,48]}}', "gpu_ram in 24 means 24 MB: probably 24000 was meant"],
    ['{"gpu_total_ram":{"eq":96}}', "gpu_total_ram eq 96 means 96 MB: probably 96000 was meant"],
    ['{"cpu_ram":{"gt":64}}', "cpu_ram gt 64 means 64 MB: probably 64000 was meant"],
    ['{"gpu_ram":{"gte":24000000}}', "gpu_ram gte 24000000 means 24000000 MB: probably 24000 was meant"],
    ['{"gpu_ram_GB":{"gte":24000}}', "gpu_ram_GB gte 24000 means 24000 GB: probably 24 was meant"],
    ['{"disk_space":{"gte":100000}}', "disk_space gte 100000 means 100000 GB: probably 100 was meant"],
    ['{"duration":{"gte":30}}', "duration gte 30 means 30 seconds: probably 2592000 was meant"],
    ["gpu_ram>=24000", "gpu_ram gte 24000 means 24000 GB and is sent as 24000000: probably 24 was meant"],
    ["cpu_ram>64000", "cpu_ram gt 64000 means 64000 GB and is sent as 64000000: probably 64 was meant"],
    ["gpu_total_ram>=48000", "gpu_total_ram gte 48000 means 48000 GB and is sent as 48000000: probably 48 was meant"],
    ["gpu_totalram>=48", "gpu_totalram gte 48 means 48 MB: probably 48000 was meant"],
    ["gpu_ram<=0.024", "gpu_ram lte 0.024 means 0.024 GB and is sent as 24: probably 24 was meant"],
    ["disk_space>=100000", "disk_space gte 100000 means 100000 GB: probably 100 was meant"],
    ["duration>=604800", "duration gte 604800 means 604800 days and is sent as 52254720000: probably 7 was meant"],
  ])("%s", (text, warning) => {
    expect(warningsOf(text)).toEqual([warning]);
  });
});

describe("a condition that can be meant so is not", () => {
  test.each([
    '{"gpu_ram":{"gte":24000,"lte":80000}}',
    '{"gpu_ram":{"neq":24},"cpu_ram":{"gte":0}}',
    '{"gpu_ram":{"gte":"any"}}',
    '{"gpu_total_ram":{"gte":2304000},"cpu_ram":{"gte":4000000},"disk_space":{"gte":20000}}',
    '{"gpu_ram_GB":{"gte":24},"duration":{"gt":0}}',
    "gpu_ram>=8 gpu_ram<=288 cpu_ram>=2 gpu_total_ram>=640",
    "gpu_totalram>=48000 disk_space>=8 duration>=0.05 duration<=3650",
    // Nothing else is a thousand times smaller or larger by mistake.
    "gpu_ram=999999999",
    "inet_down>=24000 num_gpus>=24000 gpu_mem_bw>=1",
  ])("%s", (text) => {
    expect(warningsOf(text)).toEqual([]);
  });
});
