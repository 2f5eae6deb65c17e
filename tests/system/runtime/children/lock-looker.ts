/** Looks whether the folder is locked, again and again until it is killed; says `looking` after the first time. */
import { isLocked, lockFolder } from "#runtime/data-lock.ts";

const folder = process.argv[2]!;
lockFolder(folder)[Symbol.dispose]();
isLocked(folder);
process.stdout.write("looking\n");
for (;;) isLocked(folder);
