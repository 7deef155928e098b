import { testSeeds } from "./mixed-seeds.ts";

testSeeds(21, 20);
