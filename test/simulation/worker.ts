// The program of a child process of run-many.ts: runs one seed after another until the parent disconnects. Touches its channel.
import { runOne } from "./run-one.ts";
import { runTasksOfParent } from "./tasks.ts";

runTasksOfParent((task) => runOne(task.seed, task));
