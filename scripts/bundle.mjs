// Builds pcn_course/static/ from the sources: one module for each widget with its styles in it, tree-shaken,
// and the page's own scripts and styles, each made small. The same sources give the same bytes anywhere.
// usage: node scripts/bundle.mjs [--check]   only say whether the files that stand there are those
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const PACKAGE = fileURLToPath(new URL("../pcn_course/", import.meta.url));
const WIDGETS = join(PACKAGE, "widgets");
const STATIC = join(PACKAGE, "static");
const PAGE = join(PACKAGE, "share/jupyter/voila/templates/pcn/static");
const NAMES = ["form", "home", "portfolio", "marking", "cohort", "agreement"];
const OPTIONS = {
  absWorkingDir: PACKAGE,
  charset: "utf8",
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  minify: true,
  target: "es2022",
  write: false,
};

const text = async (options) => (await build({ ...OPTIONS, ...options })).outputFiles[0].text.trimEnd();
const bundled = (path) => text({ entryPoints: [path], bundle: true });

async function widget(name) {
  const css = JSON.stringify(await bundled(join(WIDGETS, `${name}.css`)));
  const contents = `
    import { mount } from "./mount.js";
    import widget from "./${name}.js";
    export const css = ${css};
    export const render = mount(widget, css);`;
  return text({ stdin: { contents, resolveDir: WIDGETS }, bundle: true });
}

const files = new Map();
for (const name of NAMES) files.set(`${name}.js`, await widget(name));
files.set("loader.js", await bundled(join(WIDGETS, "loader.js")));
for (const name of (await readdir(PAGE)).sort()) files.set(name, await text({ entryPoints: [join(PAGE, name)] }));

const check = process.argv.includes("--check");
await mkdir(STATIC, { recursive: true });
for (const old of await readdir(STATIC)) if (!check && !files.has(old)) await rm(join(STATIC, old));
const stale = [];
for (const [name, content] of files) {
  const path = join(STATIC, name);
  const there = await readFile(path, "utf8").catch(() => "");
  if (there === `${content}\n`) continue;
  if (check) stale.push(name);
  else await writeFile(path, `${content}\n`);
}
for (const old of await readdir(STATIC)) if (!files.has(old)) stale.push(old);
if (stale.length) {
  console.error(`Not what the sources give: ${stale.join(", ")} in pcn_course/static. \`make static\` builds them.`);
  process.exitCode = 1;
}
