import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"];

/** Where installers of the three systems put it. */
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  ...["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"].flatMap((name) => {
    const root = process.env[name];
    return root === undefined
      ? []
      : [join(root, "Google/Chrome/Application/chrome.exe"), join(root, "Microsoft/Edge/Application/msedge.exe")];
  }),
];

/** The path of a browser of Chromium's family: CHROME_PATH, else on PATH, else the usual places. */
export function findChrome(): string | undefined {
  const { CHROME_PATH, PATH = "" } = process.env;
  if (CHROME_PATH) {
    if (existsSync(CHROME_PATH)) return CHROME_PATH;
    throw new Error(`CHROME_PATH names ${CHROME_PATH}, where there is no file.`);
  }
  const onPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...onPath, ...PLACES].find((path) => existsSync(path));
}

/**
 * Debian and Ubuntu as root, as in a container: the system's package. Test files run side by side, so one installs and the others
 * wait for it.
 */
function installChrome(): void {
  const script = "command -v chromium || { apt-get update && apt-get install -y --no-install-recommends chromium; }";
  execFileSync("flock", ["/tmp/spinel-install-chromium.lock", "sh", "-c", script], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "inherit"],
    timeout: 540_000,
  });
}

/** Without a graphics card: WebGL as the browser itself chooses, drawn in software without remarks on its speed, or none. */
const WEBGL = {
  default: ["--disable-gpu"],
  software: ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  none: ["--disable-gpu", "--disable-3d-apis"],
};

/** Starts a headless browser that makes no requests of its own. A missing one is installed where that needs no questions. */
export async function launchChrome({ webgl = "default" }: { webgl?: keyof typeof WEBGL } = {}): Promise<Browser> {
  let path = findChrome();
  if (path === undefined && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    try {
      installChrome();
    } catch (error) {
      throw new Error(`No browser was found, and \`apt-get install chromium\` failed. ${MENDING}`, { cause: error });
    }
    path = findChrome();
  }
  if (path === undefined) throw new Error(`No browser was found. ${MENDING}`);
  return chromium.launch({
    executablePath: path,
    args: [
      "--no-sandbox",
      ...WEBGL[webgl],
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

const MENDING =
  "Install Chromium or Chrome (Debian: apt-get install chromium), or set CHROME_PATH to the browser's program, then run the tests again.";
