// Every language has every phrase, with the same parameters, and the console asks for no phrase that is not there.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FluentResource } from "@fluent/bundle";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));
const files = readdirSync(`${SRC}locales`).filter((name) => name.endsWith(".ftl"));

/** Each phrase with the parameters that it uses. */
const phrases = (file) => {
  const text = readFileSync(`${SRC}locales/${file}`, "utf8");
  const parameters = (value) => [...JSON.stringify(value).matchAll(/"type":"var","name":"(\w+)"/g)].map((m) => m[1]);
  const entries = new FluentResource(text).body.map(({ id, value }) => [id, [...new Set(parameters(value))].sort().join()]);
  assert.equal(new Set(entries.map(([id]) => id)).size, entries.length, `${file} has a phrase twice`);
  return Object.fromEntries(entries.sort());
};

test("all languages have the same phrases with the same parameters", () => {
  const english = phrases("en.ftl");
  assert.ok(files.length >= 2 && Object.keys(english).length > 50);
  for (const file of files) assert.deepEqual(phrases(file), english, file);
});

test("every phrase that the console asks for is there", () => {
  const english = phrases("en.ftl");
  const sources = readdirSync(SRC, { recursive: true }).filter((name) => /\.tsx?$/.test(name));
  const asked = sources.flatMap((name) => [...readFileSync(SRC + name, "utf8").matchAll(/\bt\(\s*"([a-z-]+)"/g)].map((m) => m[1]));
  assert.ok(asked.length > 30);
  assert.deepEqual(asked.filter((id) => !(id in english)), []);
});
