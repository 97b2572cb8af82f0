import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { leftOut } from './needs.ts';

/** Where `npm ci --prefix test/nodes` puts each. Tests run from build/test/. */
const path = (major: number): string =>
  fileURLToPath(new URL(`../../../test/nodes/node_modules/node-${major}/bin/node`, import.meta.url));

/** The major versions of Node beside the one that runs the tests, with the program of each. */
export const otherNodes = [22, 24, 26].map((major) => ({ major, program: path(major) }));

/** Why they cannot be used, or false. */
export function lackingNodes(): string | false {
  const missing = otherNodes.filter(({ program }) => !existsSync(program)).map(({ major }) => major);
  return leftOut(missing.length === 0 ? undefined : `needs Node ${missing.join(', ')}: npm ci --prefix test/nodes`);
}
