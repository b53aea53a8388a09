import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withSystemPrograms } from "./tools.ts";

/** A Debian that boots: `disk.img` (ext4), `vmlinuz` and `initrd`, in one directory. */
const SUITE = "bookworm";
const PACKAGES = [
  ...["systemd", "systemd-sysv", "udev", "dbus", "dbus-user-session", "libpam-systemd"],
  ...["linux-image-cloud-amd64", "initramfs-tools", "kmod", "iproute2", "procps", "python3-zmq"],
];

/** Files of the system beside its packages. */
const FILES: Readonly<Record<string, string>> = {
  "etc/hostname": "machine\n",
  "etc/hosts": "127.0.0.1 localhost machine\n",
  "etc/fstab": "/dev/vda / ext4 defaults 0 0\n",
  // qemu's user network: the machine outside is 10.0.2.2.
  "etc/systemd/network/wired.network":
    "[Match]\nName=en* eth*\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nLinkLocalAddressing=no\n",
  "etc/systemd/journald.conf.d/persistent.conf": "[Journal]\nStorage=persistent\n",
  "etc/systemd/system/run-commands.service": `[Unit]
Description=Runs commands of the host
After=multi-user.target

[Service]
ExecStart=/usr/bin/python3 -u /opt/run-commands.py
Restart=always
OOMScoreAdjust=-1000

[Install]
WantedBy=default.target
`,
};

/**
 * Builds the image unless it exists: 400 MB of packages, once. Every machine runs on a copy that is thrown away.
 *
 * @param cache - directory that is kept between runs
 * @returns the directory of the image
 */
export function ensureImage(cache: string, say: (line: string) => void): string {
  const runCommands = readFileSync(join(import.meta.dirname, "run-commands.py"), "utf8");
  const files = { ...FILES, "opt/run-commands.py": runCommands };
  const recipe = createHash("sha256").update(JSON.stringify([SUITE, PACKAGES, files, hooks(".", ".")]));
  const directory = join(cache, `image-${recipe.digest("hex").slice(0, 12)}`);
  if (existsSync(directory)) return directory;
  say("building the Debian image: some minutes, once");
  mkdirSync(cache, { recursive: true });
  for (const old of readdirSync(cache)) if (old.startsWith("image-")) rmSync(join(cache, old), { recursive: true });
  const unfinished = join(cache, "unfinished");
  rmSync(unfinished, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    const file = join(unfinished, "files", path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
  }
  const args = ["--variant=minbase", "--format=null", `--include=${PACKAGES.join(",")}`];
  const options = hooks(join(unfinished, "files"), unfinished).map((hook) => `--customize-hook=${hook}`);
  execFileSync("mmdebstrap", [...args, ...options, SUITE], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, PATH: withSystemPrograms() },
  });
  rmSync(join(unfinished, "files"), { recursive: true });
  renameSync(unfinished, directory);
  return directory;
}

/** Run outside of the new system, whose root is `$1`. */
function hooks(files: string, into: string): string[] {
  return [
    `cp -r "${files}/." "$1/"`,
    'systemctl --root="$1" --quiet enable run-commands systemd-networkd systemd-networkd-wait-online',
    'systemctl --root="$1" --quiet mask apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service systemd-timesyncd',
    'rm -rf "$1"/usr/share/doc/* "$1"/usr/share/locale/*',
    `cp "$1"/boot/vmlinuz-* "${into}/vmlinuz" && cp "$1"/boot/initrd.img-* "${into}/initrd"`,
    // Without what is mounted in it.
    `mkdir "${into}/root" && mount --bind "$1" "${into}/root"`,
    `mke2fs -q -t ext4 -d "${into}/root" "${into}/disk.img" 3G`,
    `umount "${into}/root" && rmdir "${into}/root"`,
  ];
}
