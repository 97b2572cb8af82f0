// Bundles each part of the command line (src/*.ts with a main of its own) into one file of dist/: unbundled, oclif alone costs 50 ms
// more at every start, and a start reads all of its bundle. Within one, what is behind dynamic import() is evaluated when it is first
// needed; nothing is read later, when descriptors may be short. koffi has a native part and stays outside. Then each Node at hand writes
// down what its V8 compiled: dist/code/; and dist/help.json.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';

import { writeHelpPages } from './help-pages.mjs';
import { thirdParty } from './licences.mjs';

/**
 * What oclif requires at its start for things we do not have: patterns of plugins and of command files, an .oclifrc, a
 * spinner and a trace of its own, Windows.
 */
const notNeeded = {
  // The one it reads is package.json, at every start; Node's promises of files bring a line editor with them.
  'node:fs/promises': `module.exports = new Proxy({}, { get: (_, key) => key === 'readFile'
    ? async (...args) => require('node:fs').readFileSync(...args) : require('node:fs/promises')[key] });`,
  'cli-spinners': 'module.exports = { dots2: { frames: ["-"] } };',
  debug: 'module.exports = () => () => {};',
  lilconfig: leftOut('lilconfig'),
  minimatch: leftOut('minimatch'),
  tinyglobby: leftOut('glob'),
  'wsl-utils': 'exports.isWsl = false;',
};

/**
 * Built-in modules that are named at the start and needed for things that are seldom done: each brings others, and takes 1 to 15 ms.
 * They are a part of Node's own file, so that it takes no descriptor to load them later.
 */
const seldom = ['child_process', 'crypto', 'net', 'os', 'perf_hooks', 'readline', 'stream', 'worker_threads', 'zlib'];

/** Each of its names asks for the module when it is used, whether it was required or imported. */
async function later(name) {
  const names = Object.keys(await import(name)).filter((key) => key !== 'default');
  return `for (const name of ${JSON.stringify(names)})
    Object.defineProperty(exports, name, { enumerable: true, get: () => require('${name}')[name] });`;
}

function leftOut(name) {
  return `exports.${name} = () => { throw new Error('${name} is left out of the bundle: scripts/bundle.mjs'); };`;
}

/**
 * What oclif does at every start and could do for less. It sorts its commands by the collation of a language, for which Node loads
 * the tables of ICU: a fifth of a start. And it listens to stdout, which makes a stream of it, as src/index.ts does when there is one.
 */
const cheaper = [
  ['/config/plugin.js', 'a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)'],
  ['/lib/command.js', "process.stdout.on('error',", 'void ('],
];

function cheapened(path, source) {
  return cheaper.reduce((text, [file, costly, cheap]) => {
    if (!path.endsWith(file)) return text;
    if (!text.includes(costly)) throw new Error(`${path} has no "${costly}" any more: scripts/bundle.mjs`);
    return text.replaceAll(costly, cheap);
  }, source);
}

/**
 * TypeScript wrote `const theme_1 = require("./theme")` on top of each file of oclif, and every use as `theme_1.colorize`: most of
 * it is never come to. Each becomes a function that requires when it is first called.
 */
function requiredWhenUsed(source) {
  const names = [];
  const body = source.replace(
    /^const (\w+_\d+) = ((?:__import\w+\()?require\("[^"]+"\)\)?);$/gm,
    (_, name, required) => {
      names.push(name);
      return `let ${name}_; const ${name} = () => (${name}_ ??= ${required});`;
    },
  );
  return names.reduce((text, name) => text.replaceAll(new RegExp(`\\b${name}(?=\\.)`, 'g'), `(${name}())`), body);
}

const withoutUnneeded = {
  name: 'without-unneeded',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: new RegExp(`^(${Object.keys(notNeeded).join('|')})$`) }, ({ path, importer }) =>
      importer.includes('/@oclif/core/') ? { path, namespace: 'not-needed' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'not-needed' }, ({ path }) => ({ contents: notNeeded[path] }));
    onResolve({ filter: new RegExp(`^(node:)?(${seldom.join('|')})$`) }, ({ path, namespace }) =>
      namespace === 'seldom' ? { path, external: true } : { path: path.replace('node:', ''), namespace: 'seldom' },
    );
    onLoad({ filter: /./, namespace: 'seldom' }, async ({ path }) => ({ contents: await later(`node:${path}`) }));
    onLoad({ filter: /\/@oclif\/core\/lib\/.*\.js$/ }, async ({ path }) => ({
      contents: requiredWhenUsed(cheapened(path, await readFile(path, 'utf8'))),
    }));
  },
};

const copy = 'test/fixtures/copies/control-lldp-rx-dropped';
const replay = ['replay', '--fail-on', 'never', `${copy}/before`, `${copy}/after`];

/** The parts, and runs of which the code is kept: of all that they come to. bin/pktcost.js says which it takes when. */
const parts = {
  index: ['--help'],
  live: ['diagnose', '--fail-on', 'never', '--window', '500ms', '--probe', 'off', '--netns', 'none', '--quiet'],
  recorded: replay,
  rulebook: ['rules'],
};

/** The part that tells of commands runs none: what they load when they do is not in it. */
const withoutCommands = {
  name: 'without-commands',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^\./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, namespace: 'without-commands' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'without-commands' }, ({ path }) => ({
      contents: `throw new Error('${path} is left out of the bundle: scripts/bundle.mjs');`,
    }));
  },
};

/** The others find their command themselves: what oclif has for that, and for its help, is not in them. */
const foundAlready = /^(?:\.\/config|\.\.?\/help(?:\/util)?|\.\/help|ejs)$/;
const withoutHelp = {
  name: 'without-help',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: foundAlready }, ({ path, importer }) =>
      importer.includes('/@oclif/core/lib/') ? { path, namespace: 'without-help' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'without-help' }, ({ path }) => ({
      contents: `exports.normalizeArgv = (config, argv = []) => argv; exports.left = ${JSON.stringify(path)};`,
    }));
  },
};

/**
 * bin/pktcost.js reads the bundle as Latin-1, which V8 keeps in half the memory: esbuild escapes what is beyond ASCII in strings, and
 * leaves it as it is in regular expressions, which then match something else.
 */
function inAscii(source) {
  return source.replace(/(\\?)([^\x00-\x7f])/g, (found, escaped, sign) => {
    if (escaped !== '') throw new Error(`the bundle has an escaped sign beyond ASCII: ${found}`);
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** @param {string} name @returns what it was made of */
async function bundled(name) {
  const { metafile } = await build({
    entryPoints: [`src/${name}.ts`],
    outfile: `dist/${name}.cjs`,
    bundle: true,
    metafile: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    // oclif asks for typescript only when it runs from sources; koffi has a native part.
    external: ['koffi', 'typescript', 'ts-node'],
    plugins: [name === 'index' ? withoutCommands : withoutHelp, withoutUnneeded],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'linked',
    logLevel: 'warning',
    define: { 'import.meta.url': 'pktcostUrl' },
    // A script with compiled code has no loader of ES modules: what is outside is required when it is asked for.
    supported: { 'dynamic-import': false },
    // bin/pktcost.js runs it as Node runs a CommonJS module, with code that is compiled already.
    banner: {
      js: "(function(exports,require,module,__filename,__dirname){const pktcostUrl=require('node:url').pathToFileURL(__filename).href;",
    },
    footer: { js: '})' },
  });
  // What was compiled of it carries its sum: bin/pktcost.js takes no other.
  const bundle = Buffer.from(inAscii(await readFile(`dist/${name}.cjs`, 'utf8')));
  const sum = createHash('sha256').update(bundle).digest('hex').slice(0, 32);
  await writeFile(`dist/${name}.cjs`, Buffer.concat([Buffer.from(`/*${sum}*/`), bundle]));
  return metafile.inputs;
}

await rm('dist', { recursive: true, force: true });
const inputs = await Promise.all(Object.keys(parts).map(bundled));
await writeFile('dist/THIRD-PARTY.txt', await thirdParty({ inputs: Object.assign({}, ...inputs) }));

const others = 'test/nodes/node_modules';
const nodes = existsSync(others) ? readdirSync(others).filter((name) => name.startsWith('node-')) : [];
for (const node of [process.execPath, ...nodes.map((name) => `${others}/${name}/bin/node`)])
  for (const [name, words] of Object.entries(parts))
    execFileSync(node, ['scripts/code-cache.mjs', name, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
await writeHelpPages();
