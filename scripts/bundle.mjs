// Bundles src/index.ts into dist/: unbundled, oclif alone costs 50 ms more at every start. Heavy parts stay behind
// dynamic import() and become chunks of their own. koffi has a native part and stays outside.
import { build } from 'esbuild';
import { rm } from 'node:fs/promises';

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
