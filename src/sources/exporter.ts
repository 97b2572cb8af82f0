import { metricNamed } from '../metrics/lookup.ts';
import { fail, ok, type Result } from '../metrics/result.ts';
import type { Endpoint } from './endpoint.ts';
import { parseExposition } from './exposition.ts';
import { get } from './http.ts';
import { ofPages, type ExporterPage } from './page-window.ts';

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
  const parsed = parseExposition(body, (name) => ofPages.includes(name) || metricNamed(name) !== undefined);
  if (!parsed.ok) return fail(`is no page in the Prometheus text format: ${parsed.reason}`);
  if (!parsed.value.some(({ name }) => metricNamed(name) !== undefined)) {
    return fail("has no metric of a host: is it node_exporter's or that of pktcost metrics?");
  }
  return ok({ samples: parsed.value, takenAt, at });
}
