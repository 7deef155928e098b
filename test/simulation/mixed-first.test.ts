import { testSeeds } from "./mixed-seeds.ts";

testSeeds(1, 20);
