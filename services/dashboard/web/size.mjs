// Print how much JavaScript the first page loads, in gzip.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const folder = new URL("../rootward_dashboard/static/app/", import.meta.url);
const chunks = JSON.parse(readFileSync(new URL("manifest.json", folder), "utf8"));
const entry = chunks["src/main.tsx"];
const files = [entry, chunks["src/theme.ts"], ...(entry.imports ?? []).map((name) => chunks[name])];
const bytes = files.reduce(
  (sum, { file }) => sum + gzipSync(readFileSync(new URL(file, folder))).length,
  0,
);
console.log(`initial JavaScript: ${(bytes / 1000).toFixed(1)} kB in gzip, at most 150`);
