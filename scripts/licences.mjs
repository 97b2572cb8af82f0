// The licences of everything that is in the bundle, and of koffi, which is installed beside it: their texts go where the
// code goes.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Not in the bundle, but needed by it. */
const beside = ['koffi'];
const TEXT = /^(?:licen[cs]e|copying|notice)(?:-[\w.]+)?(?:\.(?:md|txt))?$/i;

/** Licences that may be passed on in a package under MIT, with their text. */
const allowed = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'BlueOak-1.0.0']);

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** Packages that name their licence and leave its text out: the text, with the authors their package.json names. */
// Its WebAssembly is made of walloc and XZ Embedded besides (the Makefile of its repository says so).
const withoutText = {
  'xz-decompress':
    'Copyright (c) Tim Perry, Steven Sanderson (MIT)\n' +
    'Contains walloc, Copyright (c) 2020 Igalia, S.L. (MIT), and XZ Embedded by Lasse Collin and Igor Pavlov (public domain).\n\n' +
    MIT,
};

/** Folders of packages that a file of the bundle comes from: `node_modules/a`, `node_modules/a/node_modules/@b/c`. */
export function packagesOf(metafile) {
  const folders = Object.keys(metafile.inputs).flatMap((input) => {
    const found = /^(?:[a-z-]+:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    return found === undefined ? [] : [found];
  });
  return [...new Set([...folders, ...beside.map((name) => `node_modules/${name}`)])].sort();
}

/** @throws Error for a package without a text, or of a licence that nobody has looked at */
export async function thirdParty(metafile) {
  const parts = await Promise.all(packagesOf(metafile).map(textOf));
  return `pktcost contains parts of these packages, or is installed with them.\n\n${parts.join('\n')}`;
}

async function textOf(folder) {
  const meta = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const { name, version, license } = meta;
  if (!allowed.has(license)) throw new Error(`${name} ${version}: licence ${license} is not one that was looked at`);
  const files = (await readdir(folder)).filter((file) => TEXT.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const kept = withoutText[name];
  if (texts.length === 0 && kept !== undefined) texts.push(kept);
  if (texts.length === 0) throw new Error(`${name} ${version}: has no text of its licence (${license})`);
  return `${'='.repeat(80)}\n${name} ${version} (${license})\n${'='.repeat(80)}\n\n${texts.map((text) => text.trim()).join('\n\n')}\n`;
}
