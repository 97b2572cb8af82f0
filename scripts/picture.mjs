// The picture of the HTML report in the README, taken of docs/examples/report.html: npm run picture.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const picture = 'docs/examples/report.png';
const MOST_BYTES = 150_000;

const { status, error } = spawnSync(
  process.env.CHROMIUM ?? 'chromium',
  [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--force-device-scale-factor=1'],
    ...['--window-size=1000,905', `--screenshot=${picture}`, pathToFileURL('docs/examples/report.html').href],
  ],
  { stdio: ['ignore', 'ignore', 'ignore'] },
);
if (error !== undefined || status !== 0) throw error ?? new Error(`chromium ended with ${status}`);
const { size } = statSync(picture);
if (size > MOST_BYTES) throw new Error(`${picture} has ${size} bytes, more than ${MOST_BYTES}`);
