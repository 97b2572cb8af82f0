import { readFileGuarded, readStart } from '../../base/file.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Endpoint } from './endpoint.ts';
import { parseExposition } from './exposition.ts';
import { isKnown } from './foreign.ts';
import { get } from './http.ts';
import { ofPages, timeOfPage, type ExporterPage } from './page-window.ts';

/** node_exporter's largest pages, with all collectors on a large host, are some MB. */
const MOST_BYTES = 64 * 2 ** 20;
const TIMEOUT_MS = 10_000;

/** Asks for the page once. Reasons are one line and hold nothing of the credentials. */
export async function scrape(endpoint: Endpoint, clock: () => number): Promise<Result<ExporterPage>> {
  const began = clock();
  const takenAt = new Date().toISOString();
  const answer = await get(endpoint, endpoint.url, {
    accept: 'text/plain;version=0.0.4;q=1,*/*;q=0.1',
    most: MOST_BYTES,
    timeoutMs: TIMEOUT_MS,
  });
  if (!answer.ok) return answer;
  const at = (began + clock()) / 2;
  const { status, contentType, body } = answer.value;
  if (status === 401 || status === 403) {
    return fail(
      `refuses (HTTP ${status}): it wants a user name and password, as in http://USER:PASSWORD@host:9100/metrics`,
    );
  }
  if (status !== 200) return fail(`answers with HTTP ${status} and not with a page of metrics`);
  // Whoever serves a textfile from a folder may not know what is in it.
  if (!['text/plain', 'application/octet-stream', ''].includes(contentType)) {
    const kind = contentType === 'text/html' ? 'an HTML page' : contentType.slice(0, 80);
    return fail(`answers with ${kind} and not with metrics as text: is the path right (/metrics)?`);
  }
  const samples = samplesOfPage(body);
  return samples.ok ? ok({ samples: samples.value, takenAt, at }) : samples;
}

function samplesOfPage(body: Uint8Array): Result<ExporterPage['samples']> {
  const parsed = parseExposition(body, (name) => ofPages.includes(name) || isKnown(name));
  if (!parsed.ok) return fail(`is no page in the Prometheus text format: ${parsed.reason}`);
  return parsed.value.some(({ name }) => isKnown(name))
    ? parsed
    : fail("has no metric of a host: is it node_exporter's or that of pktcost metrics?");
}

/** Whether a file begins as a page of metrics does: `# HELP`, `# TYPE`, or a sample. */
export function isSavedPage(path: string): boolean {
  const start = readStart(path, 4096);
  if (!start.ok) return false;
  const [line = ''] = Buffer.from(start.value).toString('latin1').trimStart().split('\n');
  return /^# (?:HELP|TYPE|UNIT) [a-zA-Z_:]|^[a-zA-Z_:][\w:]*(?:\{[a-zA-Z_].*\})? [-+\d]/.test(line);
}

/** A page that somebody saved: when it was made is what it says of itself. */
export function savedPage(path: string): Result<ExporterPage> {
  const bytes = readFileGuarded(path, MOST_BYTES);
  const samples = bytes.ok ? samplesOfPage(bytes.value) : bytes;
  if (!samples.ok) return samples;
  const at = timeOfPage({ samples: samples.value });
  const date = new Date((at ?? 0) * 1000);
  return ok({
    samples: samples.value,
    takenAt: Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString(),
    at: at ?? 0,
  });
}
