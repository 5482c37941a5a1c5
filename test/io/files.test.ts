import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { appendLine, fileError, readBytes, writeAtomic } from "../../src/io/files.ts";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(join(os.tmpdir(), "spinel-files-"));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});
const read = (path: string) => fs.readFileSync(path, "utf8");

describe("writeAtomic", () => {
  test("text, bytes and pieces; missing folders are made, nothing is left beside", async () => {
    await writeAtomic(join(folder, "a/b/text"), "Fe₂O₃");
    await writeAtomic(join(folder, "a/b/bytes"), new Uint8Array([1, 2, 3]));
    await writeAtomic(join(folder, "a/b/pieces"), [new Uint8Array([65]), new Uint8Array(), new Uint8Array([66, 67])]);
    expect(read(join(folder, "a/b/text"))).toBe("Fe₂O₃");
    expect([...fs.readFileSync(join(folder, "a/b/bytes"))]).toEqual([1, 2, 3]);
    expect(read(join(folder, "a/b/pieces"))).toBe("ABC");
    expect(fs.readdirSync(join(folder, "a/b")).sort()).toEqual(["bytes", "pieces", "text"]);
  });

  test("a failure in the middle leaves the old file and no other", async () => {
    const path = join(folder, "model");
    await writeAtomic(path, "old");
    function* broken() {
      yield new Uint8Array(1000);
      throw new Error("the tensors are gone");
    }
    await expect(writeAtomic(path, broken())).rejects.toThrow("the tensors are gone");
    expect(read(path)).toBe("old");
    expect(fs.readdirSync(folder)).toEqual(["model"]);
  });

  test("keeps the file's permissions and follows a link", async () => {
    const path = join(folder, "real");
    fs.writeFileSync(path, "old");
    fs.chmodSync(path, 0o600);
    fs.symlinkSync(path, join(folder, "link"));
    await writeAtomic(join(folder, "link"), "new");
    expect(read(path)).toBe("new");
    expect(fs.lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  });

  test("writes to a device instead of replacing it", async () => {
    await writeAtomic("/dev/null", "x");
    expect(fs.statSync("/dev/null").isFile()).toBe(false);
  });

  test("removes what a killed process left, and nothing that lives", async () => {
    fs.writeFileSync(join(folder, ".m.999999999.tmp"), "half");
    fs.writeFileSync(join(folder, `.m.${process.ppid}.tmp`), "another process is writing");
    fs.writeFileSync(join(folder, ".m.notes.tmp"), "the user's");
    await writeAtomic(join(folder, "m"), "whole");
    expect(fs.readdirSync(folder).sort()).toEqual([`.m.${process.ppid}.tmp`, ".m.notes.tmp", "m"].sort());
  });

  test("kill -9 while writing: the file is always whole and no rubbish gathers", async () => {
    for (const file of ["io/files", "core/errors"]) {
      const source = read(fileURLToPath(new URL(`../../src/${file}.ts`, import.meta.url)));
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: {
          target: ts.ScriptTarget.ES2022,
          module: ts.ModuleKind.ESNext,
          rewriteRelativeImportExtensions: true,
        },
      });
      await writeAtomic(join(folder, `${file}.js`), outputText);
    }
    const path = join(folder, "checkpoints/last");
    await writeAtomic(
      join(folder, "main.mjs"),
      `import { writeAtomic } from "./io/files.js";
       for (let i = 0; ; i++) {
         await writeAtomic(${JSON.stringify(path)}, new Uint8Array(2e6).fill(i));
         if (i === 0) console.log("writing");
       }`,
    );
    for (let trial = 0; trial < 8; trial++) {
      const child = spawn(process.execPath, [join(folder, "main.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
      await once(child.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, 3 + 7 * trial));
      child.kill("SIGKILL");
      await once(child, "exit");
      const bytes = fs.readFileSync(path);
      expect(bytes.length).toBe(2e6);
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
      expect(fs.readdirSync(join(folder, "checkpoints")).length).toBeLessThanOrEqual(2);
    }
    await writeAtomic(path, "end");
    expect(fs.readdirSync(join(folder, "checkpoints"))).toEqual(["last"]);
  });
});

describe("appendLine", () => {
  test("adds lines; a half line left by a crash stays apart", async () => {
    const path = join(folder, "run/metrics.jsonl");
    await appendLine(path, "one");
    await appendLine(path, "two");
    expect(read(path)).toBe("one\ntwo\n");
    fs.appendFileSync(path, "thr");
    await appendLine(path, "four");
    expect(read(path)).toBe("one\ntwo\nthr\nfour\n");
  });
});

describe("a user's mistakes", () => {
  const failure = async (promise: Promise<unknown>) => {
    const error = await promise.then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  };

  test("name the path and the cause", async () => {
    fs.writeFileSync(join(folder, "file"), "");
    expect(await failure(writeAtomic(folder, "x"))).toContain(`Cannot write ${folder}: it is a folder, not a file.`);
    expect(await failure(writeAtomic(join(folder, "file/x"), ""))).toContain("a part of the path is a file");
    expect(await failure(writeAtomic(join(folder, "file/x/y"), ""))).toContain("a part of the path is a file");
    expect(await failure(appendLine(join(folder, "file/x"), ""))).toContain("a part of the path is a file");
    expect(await failure(appendLine(folder, ""))).toContain("it is a folder");
    expect(await failure(readBytes(folder))).toContain(`Cannot read ${folder}: it is a folder`);
    expect(await failure(readBytes(join(folder, "none")))).toContain(
      "there is no such file or folder.\n  Check the path",
    );
    expect(await failure(writeAtomic(join(folder, "x".repeat(300)), ""))).toContain("the name is too long");
  });

  test("a full disk", async () => {
    if (fs.existsSync("/dev/full")) expect(await failure(writeAtomic("/dev/full", "x"))).toContain("the disk is full");
    expect((fileError("m", { code: "ENOSPC" }, "write") as Error).message).toMatch(
      /^Cannot write m: the disk is full\./,
    );
  });

  test("what is not a user's mistake passes through", () => {
    const bug = new TypeError("x is undefined");
    expect(fileError("m", bug)).toBe(bug);
    for (const code of ["EACCES", "EPERM", "EROFS"]) expect(fileError("m", { code })).toBeInstanceOf(UserError);
  });
});
