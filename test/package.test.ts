import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

// What users get: the packed package, installed into an empty project. It must be built (`npm install` does that).

const root = process.cwd();
const project = mkdtempSync(join(tmpdir(), "spinel-package-"));
const windows = process.platform === "win32";
let files: string[] = [];

beforeAll(() => {
  const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], {
    encoding: "utf8",
    shell: windows,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const listed = JSON.parse(packed);
  const [{ filename, files: entries }] = Array.isArray(listed) ? listed : Object.values<typeof listed>(listed);
  files = entries.map(({ path }: { path: string }) => path);
  writeFileSync(join(project, "package.json"), '{ "name": "empty", "private": true, "type": "module" }\n');
  const args = ["install", "--no-audit", "--no-fund", "--prefer-offline", join(project, filename)];
  execFileSync("npm", args, { cwd: project, shell: windows, stdio: "ignore" });
}, 240_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

test("the package holds the built library, its licence and its history, and nothing else", () => {
  expect(files.filter((f) => !f.startsWith("dist/")).sort()).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "package.json",
  ]);
  expect(files.filter((f) => !/\.(js|d\.ts)$/.test(f) && f.startsWith("dist/"))).toEqual([]);
  const { exports, bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const entry of Object.values<{ types: string; default: string } | string>(exports))
    for (const path of typeof entry === "string" ? [entry] : [entry.types, entry.default])
      expect(files).toContain(path.replace("./", ""));
  expect(files).toContain(bin.spinel);
  expect(existsSync(join(project, "node_modules", "assemblyscript"))).toBe(false);
  expect(existsSync(join(project, "node_modules", "typescript"))).toBe(false);
});

test("no dependency has an install script or native code", () => {
  const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
  for (const [name, entry] of Object.entries<{ hasInstallScript?: boolean; cpu?: string[] }>(lock.packages)) {
    expect(entry.hasInstallScript, name).toBeUndefined();
    expect(entry.cpu, name).toBeUndefined();
  }
});

test("it trains in the empty project, on two threads, and the process ends", () => {
  const program = `
    import { grad, init, mseLoss, Rng, scope } from "spinel";
    import { Linear } from "spinel/nn";
    import { Sgd } from "spinel/train";
    const { threads } = await init({ threads: 2 });
    const rng = new Rng(1);
    const model = new Linear(3, 1, rng);
    const x = rng.normal([64, 3]);
    const y = x.sum({ axes: 1, keepDim: true });
    const optimizer = new Sgd(model, { lr: 0.1 });
    let loss = 0;
    for (let i = 0; i < 200; i++)
      scope(() => {
        const l = mseLoss(model.forward(x), y);
        loss = l.item();
        optimizer.step(grad(l, optimizer.parameters));
      });
    console.log(JSON.stringify({ threads, small: loss < 1e-6 }));`;
  writeFileSync(join(project, "train.js"), program);
  const printed = execFileSync(process.execPath, ["train.js"], { cwd: project, encoding: "utf8", timeout: 60_000 });
  expect(JSON.parse(printed)).toEqual({ threads: 2, small: true });
});

test("its types check under strict rules, libraries included", () => {
  writeFileSync(
    join(project, "use.ts"),
    `import { init, Rng, type Tensor, tensor } from "spinel";
     import { readCsv } from "spinel/data";
     import { decodeSafetensors } from "spinel/io";
     import { Mlp } from "spinel/models";
     import { Linear } from "spinel/nn";
     import { Adam, fit } from "spinel/train";
     import { connect } from "spinel/worker";
     await init();
     const y: Tensor = new Linear(2, 3, new Rng(1)).forward(tensor([[1, 2]])).relu().sum({ axes: 0 });
     // @ts-expect-error: a number is not a string
     const wrong: string = y.item();
     export { Adam, connect, decodeSafetensors, fit, Mlp, readCsv, wrong };\n`,
  );
  symlinkSync(join(root, "node_modules", "@types"), join(project, "node_modules", "@types"), "junction");
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const options =
    "--noEmit --strict --target es2022 --module nodenext --moduleResolution nodenext --skipLibCheck false --types node".split(
      " ",
    );
  const { stdout, status } = spawnSync(
    process.execPath,
    [tsc, ...options, "--lib", "es2022,esnext.disposable,dom,dom.iterable", "use.ts"],
    { cwd: project, encoding: "utf8" },
  );
  expect(stdout).toBe("");
  expect(status).toBe(0);
});

test("the command is there", () => {
  const cli = join(project, "node_modules", "spinel", "dist", "cli.js");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(execFileSync(process.execPath, [cli, "--version"], { encoding: "utf8" }).trim()).toBe(version);
});
