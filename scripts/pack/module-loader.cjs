// Loads the modules of the package `ganglion`: scripts/pack/agent-modules.ts writes them, and makes this file its modules.cjs.
"use strict";
const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { setFlagsFromString } = require("node:v8");
const { compileFunction } = require("node:vm");

// As local-agent/base/small-heap.ts does for the sources, which an entry here does not load: the texts would have made the heap large before.
setFlagsFromString("--semi-space-growth-factor=1");

const PARAMETERS = ["exports", "require", "module", "__filename", "__dirname", "__export", "__toCommonJS", "__toESM"];

/**
 * The text of each module by its path. All are read at the start: an agent that runs for weeks must never load a part of a version that
 * was installed over its own meanwhile. Each is compiled when something needs it, which for most modules is never.
 *
 * @type {Map<string, Buffer>}
 */
const texts = new Map();
for (const name of JSON.parse(readFileSync(join(__dirname, "modules.json"), "utf8")))
  texts.set(join(__dirname, name), readFileSync(join(__dirname, name)));

/** @type {Map<string, { exports: any }>} */
const loaded = new Map();

/** @param {string} path - of a module */
function load(path) {
  const known = loaded.get(path);
  if (known !== undefined) return known.exports;
  const text = texts.get(path);
  if (text === undefined) throw new Error(`the package has no module ${path}`);
  const module = { exports: {} };
  // Before it runs: modules of others import each other in circles.
  loaded.set(path, module);
  const folder = dirname(path);
  const run = compileFunction(text.latin1Slice(), PARAMETERS, { filename: path });
  texts.delete(path);
  run.call(module.exports, module.exports, requireFrom(folder), module, path, folder, __export, __toCommonJS, __toESM);
  return module.exports;
}

/** @param {string} folder - of the module that requires */
function requireFrom(folder) {
  return (/** @type {string} */ name) => (name.startsWith(".") ? load(join(folder, name)) : require(name));
}

// What esbuild puts at the top of each module that it turns into CommonJS.

function __export(target, all) {
  for (const name in all) Object.defineProperty(target, name, { get: all[name], enumerable: true });
}

const __toCommonJS = (module) => copyTo(Object.defineProperty({}, "__esModule", { value: true }), module);

/** A module that was never an ES module is its own default. */
function __toESM(module) {
  const target = Object.create(Object.getPrototypeOf(module));
  if (!module.__esModule) Object.defineProperty(target, "default", { value: module, enumerable: true });
  return copyTo(target, module);
}

function copyTo(target, from) {
  for (const name of Object.getOwnPropertyNames(from)) {
    if (Object.hasOwn(target, name)) continue;
    const { enumerable } = Object.getOwnPropertyDescriptor(from, name);
    Object.defineProperty(target, name, { get: () => from[name], enumerable });
  }
  return target;
}

module.exports = { requireFrom, __toESM };
