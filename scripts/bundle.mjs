// Bundles src/index.ts into dist/: unbundled, oclif alone costs 50 ms more at every start. Heavy parts stay behind
// dynamic import() and become chunks of their own. koffi has a native part and stays outside.
import { build } from 'esbuild';
import { rm } from 'node:fs/promises';

/**
 * What oclif requires at its start for things we do not have: patterns of plugins and of command files, an .oclifrc, a
 * spinner and a trace of its own, Windows.
 */
const notNeeded = {
  'cli-spinners': 'module.exports = { dots2: { frames: ["-"] } };',
  debug: 'module.exports = () => () => {};',
  lilconfig: leftOut('lilconfig'),
  minimatch: leftOut('minimatch'),
  tinyglobby: leftOut('glob'),
  'wsl-utils': 'exports.isWsl = false;',
};

function leftOut(name) {
  return `exports.${name} = () => { throw new Error('${name} is left out of the bundle: scripts/bundle.mjs'); };`;
}

const withoutUnneeded = {
  name: 'without-unneeded',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: new RegExp(`^(${Object.keys(notNeeded).join('|')})$`) }, ({ path, importer }) =>
      importer.includes('/@oclif/core/') ? { path, namespace: 'not-needed' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'not-needed' }, ({ path }) => ({ contents: notNeeded[path] }));
  },
};

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: { index: 'src/index.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // oclif asks for typescript only when it runs from sources; koffi has a native part.
  external: ['koffi', 'typescript', 'ts-node'],
  plugins: [withoutUnneeded],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'linked',
  logLevel: 'warning',
  chunkNames: 'chunks/[name]-[hash]',
  banner: {
    // CommonJS packages inside an ES module still ask for these.
    js: "import{createRequire as __pktcostRequire}from'node:module';const require=__pktcostRequire(import.meta.url);",
  },
});
