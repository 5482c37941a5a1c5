// Compiles assembly/ for every target of asconfig.json, side by side, and writes each binary as a module that carries its bytes.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { main } from "assemblyscript/asc";

mkdirSync("build/bytes", { recursive: true });
const { targets } = JSON.parse(readFileSync("asconfig.json", "utf8"));
for (const target of Object.keys(targets)) {
  const { error, stderr } = await main(["--config", "asconfig.json", "--target", target]);
  if (error) {
    console.error(stderr.toString());
    process.exit(1);
  }
  const bytes = readFileSync(targets[target].outFile).toString("base64");
  writeFileSync(`build/bytes/${target}.js`, `export default "${bytes}";\n`);
  writeFileSync(`build/bytes/${target}.d.ts`, "declare const base64: string;\nexport default base64;\n");
}
