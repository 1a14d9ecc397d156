import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createFetch, type FetchOptions } from '../../src/egress/http-client.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { startService } from '../providers/local-service.js';
import { CERTIFICATE, startTlsService } from './tls-service.js';

function client(options?: FetchOptions) {
  const http = createFetch({ egress: LOOPBACK_POLICY, ...options });
  onTestFinished(() => http.close());
  return http;
}

describe('the HTTP client', () => {
  it.each([
    'http://rpc.example/',
    'http://10.0.0.1/',
    'http://127.0.0.1.example/',
    'http://0.0.0.0/',
    'ftp://h.example/',
  ])('sends nothing to %s, because plain http is only allowed for loopback [G10]', async (url) => {
    // Not a cause of undici's `fetch failed`, because undici was not called.
    await expect(client().fetch(url)).rejects.toMatchObject({ code: 'REFUSED_INSECURE_URL' });
  });

  it('follows no redirect, even if the caller asks for it [G10]', async () => {
    const elsewhere = await startService({ status: 200, body: {} });
    for (const status of [301, 302, 303, 307, 308]) {
      const service = await startService({ status, headers: { location: elsewhere.url } });
      const { fetch } = client();
      await expect(fetch(service.url, { redirect: 'follow' })).rejects.toMatchObject({ code: 'REFUSED_REDIRECT' });
    }
    expect(elsewhere.requests).toEqual([]);
  });

  it('waits for an answer only up to the configured time [G23]', async () => {
    const service = await startService(() => undefined);
    const { fetch } = client({ limits: { firstByteMs: 100, progressMs: 100 } });
    await expect(fetch(service.url)).rejects.toMatchObject({ cause: { code: 'UND_ERR_HEADERS_TIMEOUT' } });
  });

  it('accepts an answer only up to the configured size [G23]', async () => {
    const { fetch } = client({ maxResponseBytes: 1000 });
    const fits = await startService({ status: 200, body: 'x'.repeat(1000) });
    expect(await (await fetch(fits.url)).text()).toHaveLength(1000);
    const tooLarge = await startService({ status: 200, body: 'x'.repeat(1001) });
    await expect(fetch(tooLarge.url).then((response) => response.text())).rejects.toMatchObject({
      cause: { code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' },
    });
  });

  it('accepts every kind of request of the fetch standard', async () => {
    const service = await startService(({ method, headers, body }) => ({
      status: 200,
      body: { method, headers, body },
    }));
    const { fetch } = client();
    const init = { method: 'POST', headers: new Headers({ 'x-name': 'value' }), body: 'text' };
    for (const call of [
      () => fetch(service.url, init),
      () => fetch(new URL(service.url), init),
      () => fetch(new Request(service.url, init)),
      () => fetch(new Request(service.url), init),
    ]) {
      const response = await call();
      expect(await response.json()).toMatchObject({ method: 'POST', headers: { 'x-name': 'value' }, body: 'text' });
    }
  });

  it('sends a FormData as a multipart form, with its file', async () => {
    const service = await startService(({ headers, body }) => ({ status: 200, body: { headers, body } }));
    const form = new FormData();
    form.set('purpose', 'batch');
    form.set('file', new Blob(['a line']), 'input.jsonl');
    const response = await client().fetch(service.url, { method: 'POST', body: form });
    const sent = (await response.json()) as { headers: Record<string, string>; body: string };
    expect(sent.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(sent.body).toContain('a line');
    expect(sent.body).toContain('input.jsonl');
  });

  it('aborts requests in flight when it is closed', async () => {
    let reached = () => {};
    const arrived = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const service = await startService(() => {
      reached();
      return undefined;
    });
    const http = createFetch({ egress: LOOPBACK_POLICY });
    const call = http.fetch(service.url);
    const outcome = expect(call).rejects.toThrow();
    await arrived;
    await http.close();
    await outcome;
  });

  it('verifies certificates, whatever the environment and the options of the connection say [G10]', async () => {
    const url = await startTlsService((_, response) => response.end('reached'));
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const control = await new Promise<boolean>((resolve) => {
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname, {}, () => resolve(true)).on('error', () => resolve(false));
      onTestFinished(() => void socket.destroy());
    });
    expect(control, 'the variable switches the verification off elsewhere').toBe(true);
    for (const options of [{}, { connect: { rejectUnauthorized: false } }]) {
      await expect(client(options).fetch(url)).rejects.toMatchObject({
        cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      });
    }
    const trusting = client({ connect: { ca: CERTIFICATE } });
    expect(await (await trusting.fetch(url)).text()).toBe('reached');
  });
});
