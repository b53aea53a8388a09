import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";

export interface SmallDisk {
  readonly directory: string;
  /** `false` where this user may not mount a disk of its own: it is a plain directory then, and is never filled. */
  readonly canFill: boolean;
  fill(): void;
  free(): void;
}

/** A directory on a disk of its own, which can be filled without harm to anybody else. */
export function smallDisk(megabytes: number): SmallDisk {
  const directory = temporaryDirectory();
  const mounted =
    spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "ganglion-soak", directory]).status === 0;
  if (mounted) atEnd(() => void spawnSync("umount", ["--lazy", directory]));
  const filler = join(directory, "filler");
  return {
    directory,
    canFill: mounted,
    fill: () => {
      writeFileSync(filler, "");
      const file = openSync(filler, "a");
      // Ever smaller pieces, so that not a page is left.
      for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 4)) {
        try {
          for (;;) writeSync(file, Buffer.alloc(size));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        }
      }
      closeSync(file);
    },
    free: () => rmSync(filler, { force: true }),
  };
}
