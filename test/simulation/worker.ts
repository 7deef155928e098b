// The program of a child process of many.ts: works on one seed after another until the parent lets go. Touches its channel.
import { runTasksOfParent } from "./run-many.ts";
import { runOne } from "./run-one.ts";

runTasksOfParent((task) => runOne(task.seed, task));
