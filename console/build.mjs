// Builds the console into crates/server/console, which is committed: cargo alone then has all it needs.
//
//   node build.mjs            builds
//   node build.mjs --check    fails if what is committed is not what would be built, or a licence is not permissive
//   node build.mjs --tests    builds the unit tests into target/console-tests

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const BUILT = join(HERE, "../crates/server/console");
const TESTS = join(HERE, "../target/console-tests");

/** What the licences of packages in the bundle may be: those of deny.toml that npm packages use. */
const LICENCES = ["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "MPL-2.0", "0BSD", "Zlib"];

/** The pages, each with the script it begins with. What two of them share becomes a file of its own. */
const PAGES = { "index.html": "console" };

const files = process.argv.includes("--tests") ? null : await bundle();
if (files === null) await buildTests();
else if (process.argv.includes("--check")) await check(files);
else await write(files);

/** Returns the files by their paths. */
async function bundle() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: HERE,
    entryPoints: Object.values(PAGES).map((name) => `src/${name}.tsx`),
    bundle: true,
    splitting: true,
    format: "esm",
    target: ["es2022", "chrome111", "firefox113", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    legalComments: "none",
    charset: "utf8",
    outdir: "assets",
    entryNames: "[name]-[hash]",
    chunkNames: "shared-[hash]",
    metafile: true,
    write: false,
  });
  await checkLicences(metafile);
  const assets = outputFiles.map((file) => [`assets/${relative(join(HERE, "assets"), file.path)}`, file.text]);
  const icon = await readFile(join(HERE, "src/icon.svg"), "utf8");
  assets.push([`assets/icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`, icon]);
  const pages = Object.entries(PAGES).map(async ([page, name]) => [page, await html(page, name, assets)]);
  return new Map([...assets, ...(await Promise.all(pages))]);
}

async function html(page, name, assets) {
  const named = (start, end) => `/${assets.find(([path]) => path.startsWith(`assets/${start}-`) && path.endsWith(end))[0]}`;
  const text = await readFile(join(HERE, "src", page), "utf8");
  return text.replace("ICON", named("icon", ".svg")).replace("STYLE", named(name, ".css")).replace("SCRIPT", named(name, ".js"));
}

async function checkLicences(metafile) {
  const inputs = Object.keys(metafile.inputs).map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  for (const name of new Set(inputs.filter(Boolean))) {
    const { license } = JSON.parse(await readFile(join(HERE, "node_modules", name, "package.json"), "utf8"));
    if (!LICENCES.includes(license)) throw new Error(`${name} is in the bundle, and its licence is ${license}`);
  }
}

async function write(files) {
  await rm(BUILT, { recursive: true, force: true });
  for (const [path, text] of files) {
    await mkdir(dirname(join(BUILT, path)), { recursive: true });
    await writeFile(join(BUILT, path), text);
  }
}

async function check(files) {
  const there = (await readdir(BUILT, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = there.map((entry) => relative(BUILT, join(entry.parentPath, entry.name)));
  const differing = [...files].filter(([path]) => !paths.includes(path)).map(([path]) => path);
  for (const path of paths) {
    if (files.get(path) !== (await readFile(join(BUILT, path), "utf8"))) differing.push(path);
  }
  if (differing.length === 0) return;
  console.error(`crates/server/console is not what would be built: ${differing.join(", ")}. Run \`npm run build\` in console.`);
  process.exit(1);
}

async function buildTests() {
  const tests = (await readdir(join(HERE, "src"))).filter((name) => name.endsWith(".test.ts"));
  await rm(TESTS, { recursive: true, force: true });
  await build({
    absWorkingDir: HERE,
    entryPoints: tests.map((name) => `src/${name}`),
    bundle: true,
    format: "esm",
    platform: "node",
    outdir: TESTS,
    outExtension: { ".js": ".mjs" },
  });
}
